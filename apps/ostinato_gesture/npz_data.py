"""Sequences of feature vectors of any kind: `.npz` archives, and tables of the events in recordings."""

from __future__ import annotations

import csv
import dataclasses
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ostinato.errors import DataError

_ARRAYS = ("features", "lengths", "labels", "groups", "names")
# what NumPy raises on damaged, encrypted and pickled files
_DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError)
_EVENT_COLUMNS = ("recording", "start_frame", "end_frame", "label")


@dataclasses.dataclass(frozen=True)
class FeatureArchive:
    """The sequences of an archive, one after the other."""

    features: np.ndarray
    """float [sum of lengths, D], of the type it was stored in; all finite"""
    lengths: np.ndarray
    """int64 [N], frames of each sequence, 1 or more"""
    labels: tuple[str, ...] | None
    """of each sequence, or None for recordings that have none as a whole"""
    groups: tuple[str, ...]
    """of each sequence, what must stay together when data are split; its name where the archive has no groups"""
    names: tuple[str, ...]
    """of each sequence; its number where the archive has no names"""

    def __len__(self) -> int:
        return len(self.lengths)

    def sequence(self, number: int) -> np.ndarray:
        """Returns the features of one sequence, [F, D]."""
        end = int(self.lengths[: number + 1].sum())
        return self.features[end - int(self.lengths[number]) : end]


@dataclasses.dataclass(frozen=True)
class LabelledEvent:
    """A gesture in a recording."""

    start: int
    """first frame"""
    end: int
    """the frame after the last one"""
    label: str


def read_archive(path: str | Path) -> FeatureArchive:
    """Reads an archive as `numpy.savez` writes it.

    Its arrays: `features` [sum of lengths, D], `lengths` [N], and, as far as it has them, `labels` [N], `groups` [N]
    (a signer, a take) and `names` [N], each text or whole numbers. Others are left alone.

    Raises:
      DataError: the file is missing or damaged, or its arrays do not fit together.
    """
    path = Path(path)
    arrays = _load(path)
    for name in ("features", "lengths"):
        if name not in arrays:
            raise DataError(
                f"{path} has no array '{name}' but {', '.join(sorted(arrays)) or 'none at all'}; write one with "
                "numpy.savez(path, features=..., lengths=..., labels=..., groups=...)."
            )
    features, lengths = arrays["features"], arrays["lengths"]
    if features.ndim != 2 or features.dtype.kind not in "fiu" or not features.shape[1]:
        raise DataError(
            f"{path}: features must be numbers [sum of lengths, D], they are {features.dtype} {list(features.shape)}."
        )
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not len(lengths):
        raise DataError(
            f"{path}: lengths must be whole numbers [N], one a sequence, they are {lengths.dtype} "
            f"{list(lengths.shape)}."
        )
    lengths = lengths.astype(np.int64)
    if lengths.min() < 1:
        raise DataError(f"{path}: sequence {int(lengths.argmin())} has {lengths.min()} frames; leave it out.")
    if lengths.sum() != len(features):
        raise DataError(
            f"{path}: the lengths add up to {lengths.sum()} frames, features have {len(features)}; make them agree."
        )
    _check_finite(path, features, lengths)
    names = _texts(path, arrays, "names", len(lengths)) or tuple(str(number) for number in range(len(lengths)))
    return FeatureArchive(
        features=features,
        lengths=lengths,
        labels=_texts(path, arrays, "labels", len(lengths)),
        groups=_texts(path, arrays, "groups", len(lengths)) or names,
        names=names,
    )


def read_events(path: str | Path, lengths: Mapping[str, int]) -> dict[str, list[LabelledEvent]]:
    """Reads the events of recordings from a CSV table with the columns recording, start_frame, end_frame, label.

    An end beyond the recording is moved to its end: annotations are often a frame too long.

    Args:
      path: the table.
      lengths: frames of each recording by name.

    Returns:
      for every recording its events in order of time; none for one that the table does not name.

    Raises:
      DataError: the file is missing or no such table, or an event lies in no recording.
    """
    path = Path(path)
    events: dict[str, list[LabelledEvent]] = {name: [] for name in lengths}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            missing = [column for column in _EVENT_COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise DataError(
                    f"{path}, line 1: has no column {', '.join(missing)}; a table of events begins with "
                    f"{','.join(_EVENT_COLUMNS)}."
                )
            for row in rows:
                recording, event = _event(row, f"{path}, line {rows.line_num}", lengths)
                events[recording].append(event)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; check the path.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a table in UTF-8 ({error}).") from error
    return {name: sorted(found, key=lambda event: (event.start, event.end)) for name, found in events.items()}


def _event(row: Mapping[str, str | None], place: str, lengths: Mapping[str, int]) -> tuple[str, LabelledEvent]:
    recording, start_text, end_text, label = ((row[column] or "").strip() for column in _EVENT_COLUMNS)
    if recording not in lengths:
        raise DataError(f"{place}: there is no recording {recording!r}; the first is {next(iter(lengths), 'none')!r}.")
    if not label:
        raise DataError(f"{place}: the event has no label; name the gesture.")
    try:
        start, end = int(start_text), int(end_text)
    except ValueError:
        raise DataError(
            f"{place}: start_frame and end_frame must be whole numbers, are {start_text!r} and {end_text!r}."
        ) from None
    end = min(end, lengths[recording])
    if not 0 <= start < end:
        raise DataError(
            f"{place}: an event must begin before it ends and within the {lengths[recording]} frames of {recording}, "
            f"this one goes from {start_text} to {end_text}."
        )
    return recording, LabelledEvent(start, end, label)


def _load(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise DataError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}; give a .npz file.")
    try:
        with path.open("rb") as file:  # opened here, as NumPy leaves a damaged archive open
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path} holds a single array; write an archive of several with numpy.savez.")
            return {name: archive[name] for name in archive.files if name in _ARRAYS}
    except _DAMAGE as error:
        raise DataError(f"{path} cannot be read as a .npz archive of numbers and texts ({error}).") from error


def _check_finite(path: Path, features: np.ndarray, lengths: np.ndarray) -> None:
    broken = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(broken):
        number = int(np.searchsorted(np.cumsum(lengths), broken[0], side="right"))
        raise DataError(
            f"{path}: {len(broken)} frames hold values that are infinite or no number, the first in sequence {number}; "
            "repair or leave them out."
        )


def _texts(path: Path, arrays: Mapping[str, np.ndarray], name: str, count: int) -> tuple[str, ...] | None:
    """Returns labels, groups or names as texts, or None where the archive has none."""
    values = arrays.get(name)
    if values is None:
        return None
    if values.shape != (count,):
        raise DataError(f"{path}: {name} must be [{count}], one a sequence, they are {list(values.shape)}.")
    if values.dtype.kind not in "iuUS":
        raise DataError(f"{path}: {name} must be texts or whole numbers, they are {values.dtype}.")
    texts = np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
    named = tuple(str(value) for value in texts.tolist())
    if "" in named:
        raise DataError(f"{path}: sequence {named.index('')} has an empty entry in {name}; name it or leave it out.")
    return named
