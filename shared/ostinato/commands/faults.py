"""What goes on although an input failed: one line for each, and the exit code that tells of it."""

from __future__ import annotations

import sys

from ostinato.commands.application import SOME_INPUTS_FAILED, SUCCESS
from ostinato.errors import InputError


class Faults:
    """Names each input that failed in one line on standard error, and counts them.

    Args:
      command: what the lines begin with.
    """

    def __init__(self, command: str):
        self.command, self.count = command, 0

    def report(self, error: InputError, name: str = "") -> None:
        """Prints an error, with the input's name before it where it does not hold it."""
        self.count += 1
        sentence = " ".join(str(error).split())
        if name not in sentence:
            sentence = f"{name}: {sentence}"
        sys.stderr.write(f"{self.command}: {sentence}\n")

    @property
    def exit_code(self) -> int:
        """0, or 1 where some inputs failed."""
        return SOME_INPUTS_FAILED if self.count else SUCCESS
