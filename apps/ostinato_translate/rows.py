"""Rows of a corpus: one sentence in several languages."""

from __future__ import annotations

import dataclasses
import re

_TEST = re.compile(r"(^|[^a-z])(news|dev)?(tests?|tst)([^a-z]|$)")
_DEV = re.compile(r"(^|[^a-z])(news)?(dev|val|valid|validation)([^a-z]|$)")
_TRAIN = re.compile(r"(^|[^a-z])train(ing)?([^a-z]|$)")


@dataclasses.dataclass(frozen=True)
class Row:
    """One sentence in several languages, as it is in the data."""

    split: str
    """`train`, `dev` or `test`; empty where the data say nothing"""
    sentences: dict[str, str]
    """by language; empty where there is a place for it and nothing in it"""


def split_of(name: str) -> str:
    """Tells the split by the name of a file or of a part of a data set; empty where the name says nothing.

    A name that speaks of testing is never of another split: `devtest`, `newstest2014.train`.
    """
    name = name.lower()
    return next((split for split, form in (("test", _TEST), ("dev", _DEV), ("train", _TRAIN)) if form.search(name)), "")
