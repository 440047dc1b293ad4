"""Whole files that a flag names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ostinato.errors import UserError


def read_text(path: Path) -> str:
    """Returns the text of a file.

    Raises:
      UserError: it is no UTF-8.
      OSError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8; give another file") from error


def read_json(path: Path) -> Any:
    """Returns what `evaluate --format json` or another program wrote into a file; raises what `read_text` does.

    Raises:
      UserError: it is no JSON.
    """
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise UserError(f"{path} is no JSON; give what `evaluate --format json` printed") from error
