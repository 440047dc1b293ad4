"""Videos and cameras: reading frames, drawing on them, timelines, and the live loop.

Importing it imports nothing: its modules need OpenCV, and `--help` is to be instant.
"""
