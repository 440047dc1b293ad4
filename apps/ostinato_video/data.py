"""Labelled videos in the layouts that people keep them in, and those of TensorFlow Datasets."""

from __future__ import annotations

from pathlib import Path

from ostinato.frames.labelled import VideoExample, read_layout, select_split

__all__ = ["LAYOUTS", "read_examples", "select_split"]

LAYOUTS = ("segments", "manifest", "folders", "tfds")


def read_examples(data: str | Path, layout: str | None = None, group_by: str = "group") -> list[VideoExample]:
    """Reads all splits of a data set.

    Args:
      data: its folder, or its table; `tfds:ucf101` for one of TensorFlow Datasets.
      layout: one of those of `read_layout`, or `tfds`; found by what is there if not given.
      group_by: columns of the table that name what must stay together, by commas; without a column `group` each video
        is a group of its own.

    Returns:
      Examples in the data set's own order. Whether the videos can be read is not looked at.

    Raises:
      DataError: the data are missing, no layout fits, or a table is malformed.
    """
    if str(data).startswith("tfds:") or layout == "tfds":
        from ostinato_video.tfds_data import read_tfds

        return read_tfds(str(data).removeprefix("tfds:"))
    return read_layout(data, layout, group_by)
