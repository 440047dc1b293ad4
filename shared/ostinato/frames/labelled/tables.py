"""The tables of videos that people write: one row a video, or one row a segment."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from ostinato.errors import DataError
from ostinato.frames.labelled.examples import VideoExample, VideoSegment, split_name

_TIMES: dict[tuple[str, str], Literal["seconds", "frames"]] = {
    ("start", "end"): "seconds",
    ("start_frame", "end_frame"): "frames",
}
_KNOWN = {"video", "label", "split", "group", *(name for times in _TIMES for name in times)}
_SPLITS = ("", "train", "dev", "test")
Row = dict[str, str]


def has_segments(path: Path) -> bool:
    """Tells by its columns whether a table has one row a segment."""
    return any(set(times) <= set(_columns(path)) for times in _TIMES)


def read_manifest(path: Path, group_by: str) -> list[VideoExample]:
    """Reads a table of one row a video: `video,label` and, if you like, `split` and columns that name the group.

    Raises:
      DataError: a column is missing, a row is incomplete, or a video is there twice.
    """
    _check_columns(path, ("video", "label"))
    grouping = _grouping(path, group_by)
    examples: dict[str, VideoExample] = {}
    for place, row in _rows(path):
        if not row["label"]:
            raise DataError(f"{place}: a row needs a label")
        if row["video"] in examples:
            raise DataError(f"{place}: {row['video']} is there twice; a table of segments has columns start and end")
        examples[row["video"]] = VideoExample(
            str(path.parent / row["video"]),
            _group(row, grouping),
            _split(place, row),
            label=row["label"],
            columns=_other_columns([row]),
        )
    return list(examples.values())


def read_segments(path: Path, group_by: str) -> list[VideoExample]:
    """Reads a table of one row a segment: `video,start,end,label` in seconds, or `start_frame,end_frame` for frames.

    A video in which nothing happens has one row without times and label.

    Raises:
      DataError: a column is missing, a row is incomplete, times are no numbers or in the wrong order, or rows of one
        video name different groups or splits.
    """
    _check_columns(path, ("video", "label"))
    times = next((times for times in _TIMES if set(times) <= set(_columns(path))), None)
    if times is None:
        raise DataError(f"{path} must have the columns start and end (seconds), or start_frame and end_frame")
    grouping = _grouping(path, group_by)
    found: dict[str, tuple[str, str]] = {}
    segments: dict[str, list[VideoSegment]] = {}
    rows: dict[str, list[Row]] = {}
    for place, row in _rows(path):
        video, belongs_to = row["video"], (_group(row, grouping), _split(place, row))
        if found.setdefault(video, belongs_to) != belongs_to:
            raise DataError(f"{place}: {video} was in group {found[video][0]!r} and split {found[video][1]!r} before")
        rows.setdefault(video, []).append(row)
        of_video = segments.setdefault(video, [])
        if row["label"] or row[times[0]] or row[times[1]]:
            of_video.append(_segment(place, row, times))
    return [
        VideoExample(
            str(path.parent / video),
            group,
            split,
            segments=tuple(sorted(segments[video], key=lambda segment: (segment.start, segment.end))),
            columns=_other_columns(rows[video]),
        )
        for video, (group, split) in found.items()
    ]


def _segment(place: str, row: Row, times: tuple[str, str]) -> VideoSegment:
    if not row["label"]:
        raise DataError(f"{place}: a segment needs a label")
    try:
        start, end = (float(row[name]) for name in times)
    except ValueError as error:
        raise DataError(f"{place}: {times[0]} and {times[1]} must be numbers ({error})") from error
    if not 0 <= start < end < math.inf:
        raise DataError(
            f"{place}: a segment cannot last from {row[times[0]]} to {row[times[1]]}; the end comes after it"
        )
    return VideoSegment(start, end, row["label"], _TIMES[times])


def _grouping(path: Path, group_by: str) -> list[str]:
    """The columns that name the group; none where the table says nothing of groups and nobody asked for others."""
    wanted = [name.strip() for name in group_by.split(",") if name.strip()]
    columns = _columns(path)
    if wanted == ["group"] and "group" not in columns:
        return []
    for name in wanted:
        if name not in columns:
            raise DataError(f"{path} has no column {name!r} to group by, has: {', '.join(columns)}; mend --group-by")
    return wanted


def _group(row: Row, grouping: list[str]) -> str:
    return " ".join(row[name] for name in grouping) if grouping else row["video"]


def _other_columns(rows: Sequence[Row]) -> Row:
    """What the rows of a video agree on, but for what every table has."""
    return {
        name: value for name, value in rows[0].items() if name not in _KNOWN and all(row[name] == value for row in rows)
    }


def _split(place: str, row: Row) -> str:
    split = split_name(row.get("split", ""))
    if split not in _SPLITS:
        raise DataError(f"{place}: there is no split {row['split']!r}; use train, dev or test, or leave it empty")
    return split


def _columns(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [name.strip() for name in csv.DictReader(file).fieldnames or ()]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no CSV file in UTF-8 ({error}); save it as such") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check the path") from error


def _check_columns(path: Path, needed: tuple[str, ...]) -> None:
    columns = _columns(path)
    if not set(needed) <= set(columns):
        raise DataError(f"{path} must have the columns {' and '.join(needed)}, has: {', '.join(columns) or 'none'}")


def _rows(path: Path) -> Iterator[tuple[str, Row]]:
    """Yields each row, every column there and stripped, with its place for messages."""
    columns = _columns(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, fieldnames=columns, restkey="", restval="")
            next(reader, None)  # the names themselves
            for row in reader:
                place = f"{path}, line {reader.line_num}"
                values = {name: row[name].strip() for name in columns}
                if not values["video"]:
                    raise DataError(f"{place}: a row needs a video")
                yield place, values
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no CSV file in UTF-8 ({error}); save it as such") from error
