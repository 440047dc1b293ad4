"""What a user sees of the training of gestures: the same as of all streams."""

from ostinato.sequences.watching import watch

__all__ = ["watch"]
