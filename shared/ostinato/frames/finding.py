"""The videos that arguments and folders name."""

import os
from collections.abc import Iterable
from pathlib import Path

from ostinato.errors import InputError

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv"}
    | {".3gp", ".3g2", ".ogv", ".mjpeg", ".mjpg", ".vob"}
)


def find_videos(inputs: Iterable[str | Path]) -> list[Path]:
    """Files as given, in the order given; folders as all videos in them and in their folders, sorted by path.

    In folders, hidden files and folders (their names begin with a dot) and files without a video's suffix are left
    out; a file that is named itself is taken whatever it is called.

    Raises:
      InputError: a path that does not exist, or a folder without a video.
    """
    return [video for given in inputs for video in _videos_of(Path(given))]


def _videos_of(path: Path) -> list[Path]:
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises on names too long for any file
        raise InputError(f"{path} does not exist; check the path.")
    if not path.is_dir():
        return [path]
    videos = sorted(found for found in path.rglob("*") if _is_video(found, path))
    if not videos:
        raise InputError(f"{path} holds no videos (files such as .mp4 or .mov); name another folder.")
    return videos


def _is_video(found: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in found.relative_to(folder).parts)
    return found.suffix.lower() in VIDEO_SUFFIXES and not hidden and found.is_file()
