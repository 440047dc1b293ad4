"""Labelled videos as all layouts give them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal


@dataclasses.dataclass(frozen=True)
class VideoSegment:
    """A stretch of a video that has a label."""

    start: float
    """its first moment or frame"""
    end: float
    """the first moment or frame after it"""
    label: str
    unit: Literal["seconds", "frames"] = "seconds"
    """what start and end count; frames are those of the file, from 0"""


@dataclasses.dataclass(frozen=True)
class VideoExample:
    """One video and what it shows."""

    video: str
    """path of the file"""
    group: str
    """what must stay together when data are split: a person, a day, a source"""
    split: str
    """`train`, `dev` or `test`; empty where the data set says nothing"""
    label: str | None = None
    """what the whole video shows; None where it is told segment by segment"""
    segments: tuple[VideoSegment, ...] = ()
    """in order of their starts; frames in none of them are background, and of two that overlap the later one counts"""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """what else a table says of the whole video, such as its room and day, by the names of its columns"""


def split_name(split: str) -> str:
    """Returns how a split is called here, whatever a data set calls it."""
    name = split.strip().lower()
    names = {"training": "train", "val": "dev", "valid": "dev", "validation": "dev", "testing": "test"}
    return names.get(name, name)
