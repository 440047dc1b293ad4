"""`ostinato-translate`: the verbs. Each parses, calls one function of the application, and writes the result."""

from __future__ import annotations

import io
import sys

from ostinato.commands import run_application
from ostinato_translate import cli_models, cli_runs  # noqa: F401  # where the verbs are
from ostinato_translate.command import app


def main() -> None:
    """The console script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # translations are text of any language, wherever they are printed
    sys.exit(run_application(app))
