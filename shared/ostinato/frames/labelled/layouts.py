"""Which layout labelled videos are in, and all of them read into one list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ostinato.errors import DataError
from ostinato.frames.labelled.examples import VideoExample
from ostinato.frames.labelled.folders import read_folders
from ostinato.frames.labelled.tables import has_segments, read_manifest, read_segments

LAYOUTS = ("segments", "manifest", "folders")
_TABLES = {"segments": "segments.csv", "manifest": "manifest.csv"}


def read_layout(data: str | Path, layout: str | None = None, group_by: str = "group") -> list[VideoExample]:
    """Reads all splits of a data set.

    Args:
      data: its folder, or its table.
      layout: `segments` (segments.csv), `manifest` (manifest.csv) or `folders` (one folder a label); found by what is
        there if not given.
      group_by: columns of the table that name what must stay together, by commas; without a column `group` each video
        is a group of its own.

    Returns:
      Examples in the data set's own order. Whether the videos can be read is not looked at.

    Raises:
      DataError: the data are missing, no layout fits, or a table is malformed.
    """
    root = Path(data)
    if not root.exists():
        raise DataError(f"there is no folder {root}; give the data set with --data")
    layout = layout or detect_layout(root)
    if layout not in LAYOUTS:
        raise DataError(f"there is no layout {layout!r}; use one of {', '.join(LAYOUTS)}")
    if layout == "folders":
        examples = _read_folders(root)
    else:
        table = root / _TABLES[layout] if root.is_dir() else root
        if not table.is_file():
            raise DataError(f"{root} has no {_TABLES[layout]}; name another --layout, or the table itself with --data")
        examples = (read_segments if layout == "segments" else read_manifest)(table, group_by)
    if not examples:
        raise DataError(f"{root} holds no labelled videos in the {layout} layout")
    return examples


def detect_layout(root: Path) -> str:
    """Tells the layout of a data set by what is there: a table goes before folders.

    Raises:
      DataError: nothing that fits.
    """
    if root.is_file():
        return "segments" if has_segments(root) else "manifest"
    for layout, name in _TABLES.items():
        if (root / name).is_file():
            return layout
    if read_folders(root):
        return "folders"
    raise DataError(f"{root} has no segments.csv, manifest.csv or folders of videos, one a label; name --layout")


def select_split(examples: Sequence[VideoExample], split: str) -> list[VideoExample]:
    """Returns the examples of one split, or of all (`all`).

    Raises:
      DataError: it is empty or unknown.
    """
    chosen = [example for example in examples if split in ("all", example.split)]
    if not chosen:
        splits = ", ".join(["all", *sorted({example.split for example in examples} - {""})])
        raise DataError(f"no video belongs to the split {split!r}; use one of: {splits}")
    return chosen


def check_videos(examples: Sequence[VideoExample]) -> None:
    """Raises DataError where not one video is there: one sentence instead of one for every video."""
    if examples and not any(Path(example.video).is_file() for example in examples):
        raise DataError(
            f"none of the {len(examples)} videos is there, such as {examples[0].video}; check the folder of videos"
        )


def _read_folders(root: Path) -> list[VideoExample]:
    if not root.is_dir():
        raise DataError(f"{root} is no folder; the layout folders has one folder a label")
    return read_folders(root)
