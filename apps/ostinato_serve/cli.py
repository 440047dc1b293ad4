"""`ostinato-serve`: the verbs. Each parses, calls one function of the application, and writes the result."""

from __future__ import annotations

import sys

from ostinato.commands import run_application
from ostinato_serve import cli_config, cli_run  # noqa: F401  # where the verbs are
from ostinato_serve.command import app


def main() -> None:
    """The console script."""
    sys.exit(run_application(app))
