"""Many to one, live: a camera in, gestures while they happen.

Importing this starts nothing.
"""
