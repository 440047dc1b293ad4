"""What is learnt from: labelled videos, or archives of feature vectors of any kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ostinato.errors import DataError
from ostinato.frames.labelled import VideoExample, read_layout
from ostinato_gesture.npz_data import LabelledEvent, read_archive, read_events

__all__ = ["FeatureSequence", "GestureData", "is_archive", "read_data", "select_split"]

ARCHIVE_SUFFIX = ".npz"


@dataclasses.dataclass(frozen=True)
class FeatureSequence:
    """One sequence of an archive, and what it shows."""

    name: str
    """file and number, or name, of the sequence"""
    group: str
    """what must stay together when data are split: a signer, a session"""
    features: np.ndarray
    """float [F, D], finite"""
    split: str = ""
    """`train`, `dev` or `test`; empty where nothing is said"""
    label: str | None = None
    """what the whole sequence shows; None where it is told event by event"""
    events: tuple[LabelledEvent, ...] = ()
    """in order of their starts; frames in none of them are no gesture"""


GestureData = Sequence[VideoExample] | Sequence[FeatureSequence]


def is_archive(data: str | Path) -> bool:
    """Tells archives of features from videos, by the suffix."""
    return Path(data).suffix.lower() == ARCHIVE_SUFFIX


def read_data(
    data: str | Path,
    layout: str | None = None,
    *,
    group_by: str = "group",
    recordings: str | Path | None = None,
    events: str | Path | None = None,
) -> GestureData:
    """Reads labelled videos, or sequences of features.

    Args:
      data: folder or table of videos, or an archive (.npz).
      layout: of videos, as `ostinato.frames.labelled.read_layout` takes it.
      group_by: columns of the table of videos that name what must stay together; of archives `group`, or `name` for
        each sequence on its own.
      recordings: another archive, of long recordings, which `events` belongs to.
      events: table of the gestures in recordings: those of `recordings`, or where not given those of `data`.

    Raises:
      DataError: the data are missing or malformed, or the archives do not fit together.
    """
    if not is_archive(data):
        if recordings is not None or events is not None:
            raise DataError(f"--recordings and --events belong to archives (.npz), and {data} is none; leave them out")
        return read_layout(data, layout, group_by)
    if recordings is None:
        return _read_sequences(Path(data), events, group_by)
    if events is None:
        raise DataError(f"{recordings} has no labels; name the table of its gestures with --events")
    clips, long = _read_sequences(Path(data), None, group_by), _read_sequences(Path(recordings), events, group_by)
    sizes = clips[0].features.shape[1], long[0].features.shape[1]
    if sizes[0] != sizes[1]:
        raise DataError(f"{data} has {sizes[0]} features a frame and {recordings} {sizes[1]}; they must agree")
    return [*clips, *long]


def select_split(data: GestureData, split: str) -> GestureData:
    """Returns the examples of one split, or of all (`all`).

    Raises:
      DataError: it is empty or unknown.
    """
    chosen = [example for example in data if split in ("all", example.split)]
    if not chosen:
        splits = ", ".join(["all", *sorted({example.split for example in data} - {""})])
        raise DataError(f"nothing belongs to the split {split!r}; use one of: {splits}")
    return chosen  # type: ignore[return-value]  # all are of one kind


def _read_sequences(path: Path, events: str | Path | None, group_by: str) -> list[FeatureSequence]:
    archive = read_archive(path)
    if group_by not in ("group", "name"):
        raise DataError(f"--group-by {group_by}: sequences of {path} are known by their group and their name; give one")
    if events is None and archive.labels is None:
        raise DataError(f"{path} has no array 'labels'; add it, or name a table of events with --events")
    lengths = dict(zip(archive.names, archive.lengths.tolist(), strict=True))
    of_recording = read_events(events, lengths) if events is not None else {}
    starts = np.cumsum(archive.lengths) - archive.lengths
    return [
        FeatureSequence(
            name=f"{path.name}:{archive.names[number]}",
            group=(archive.groups if group_by == "group" else archive.names)[number],
            features=archive.features[start : start + length],
            label=archive.labels[number] if archive.labels is not None and events is None else None,
            events=tuple(of_recording.get(archive.names[number], ())),
        )
        for number, (start, length) in enumerate(zip(starts.tolist(), archive.lengths.tolist(), strict=True))
    ]
