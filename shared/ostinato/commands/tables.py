"""Figures for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_table(figures: Mapping[str, Any]) -> str:
    """One figure a line, names in a column; what could not be computed (None) is a dash."""
    width = max(map(len, figures))
    return "\n".join(f"{name:{width}}  {_shown(value)}" for name, value in figures.items())


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
    if isinstance(value, float):
        return f"{value:.2f}"
    return "-" if value is None else str(value)
