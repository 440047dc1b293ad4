"""Videos in folders that are named after what they show."""

from __future__ import annotations

from pathlib import Path

from ostinato.frames.finding import VIDEO_SUFFIXES
from ostinato.frames.labelled.examples import VideoExample, split_name

_SPLITS = ("train", "dev", "test")


def read_folders(root: Path) -> list[VideoExample]:
    """Reads one folder a label, with folders such as train, val and test above them if you like.

    Nothing is known of groups, so that each video is a group of its own.

    Returns:
      Examples in order of their paths; none where no folder holds a video.
    """
    folders = _visible_folders(root)
    if folders and all(split_name(folder.name) in _SPLITS for folder in folders):
        return [
            example
            for folder in folders
            for example in _read_labels(root, _visible_folders(folder), split_name(folder.name))
        ]
    return _read_labels(root, folders, "")


def _read_labels(root: Path, folders: list[Path], split: str) -> list[VideoExample]:
    return [
        VideoExample(str(video), video.relative_to(root).as_posix(), split, label=folder.name)
        for folder in folders
        for video in sorted(folder.rglob("*"))
        if _is_video(video, folder)
    ]


def _visible_folders(root: Path) -> list[Path]:
    return sorted(folder for folder in root.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def _is_video(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in VIDEO_SUFFIXES and not hidden and path.is_file()
