"""`ostinato-gesture`: the verbs. Each parses, calls one function of the application, and writes the result."""

from __future__ import annotations

import io
import sys

from ostinato.commands import run_application
from ostinato_gesture import cli_live, cli_models, cli_runs  # noqa: F401  # where the verbs are
from ostinato_gesture.command import app


def main() -> None:
    """The console script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files may hold bytes that are no text
    sys.exit(run_application(app))
