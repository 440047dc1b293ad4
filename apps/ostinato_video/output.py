"""What the verbs print of videos, and where they write what is drawn."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from ostinato.errors import ConfigError
from ostinato.frames.timeline import WRITERS, as_text, segment_fields
from ostinato_video.results import VideoResult

Write = Callable[[str, VideoResult], str]

_CSV_FIELDS = ("video", "start", "end", "label", "confidence")


def text_writer(num_videos: int) -> Write:
    """Writes a line for the whole video, and one for each segment; a blank line between videos."""

    def write(video: str, result: VideoResult) -> str:
        timeline = "".join(f"  {line}\n" for line in as_text(result.segments).splitlines())
        nothing = "" if timeline else "  nothing of note\n"
        end = "\n" if num_videos > 1 else ""
        return f"{video}: {result.label} (confidence {result.confidence:.2f})\n{timeline}{nothing}{end}"

    return write


def json_writer(num_videos: int) -> Write:
    """Writes one object a line for each video."""
    return as_json


def csv_writer(num_videos: int) -> Write:
    """Writes one table of the segments of all videos."""
    headers = iter([_CSV_FIELDS])

    def write(video: str, result: VideoResult) -> str:
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerows(headers)  # before the first video only
        rows.writerows([video, *segment_fields(segment).values()] for segment in result.segments)
        return table.getvalue()

    return write


def subtitle_writer(name: str, num_videos: int) -> Write:
    """Writes the subtitles of one video.

    Raises:
      ConfigError: there are several videos; a file of subtitles belongs to one.
    """
    if num_videos > 1:
        raise ConfigError(f"--format {name} is for one video, and there are {num_videos}; take one, or --format json")
    return lambda video, result: WRITERS[name](result.segments)


# Each is told the number of videos and returns what writes one of them, its line ends included.
FORMATS: dict[str, Callable[[int], Write]] = {
    "text": text_writer,
    "json": json_writer,
    "csv": csv_writer,
    "srt": functools.partial(subtitle_writer, "srt"),
    "vtt": functools.partial(subtitle_writer, "vtt"),
}


def as_json(video: str, result: VideoResult) -> str:
    """Returns one object on one line: times in seconds, confidences from 0 to 1."""
    record = {
        "video": video,
        "label": result.label,
        "confidence": round(result.confidence, 4),
        "duration": round(result.duration, 3),
        "segments": [segment_fields(segment) for segment in result.segments],
        "scores": {label: round(float(score), 4) for label, score in zip(result.labels, result.scores, strict=True)},
        **({} if result.damage is None else {"damage": result.damage}),
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"


def output_paths(path: Path | None, videos: Sequence[str | Path], suffix: str, flag: str) -> list[Path]:
    """Returns the file to write for each video: the path itself, or in the folder that it is a name of its own.

    Args:
      path: of a file for one video, of a folder for several; None where nothing is to be written.
      videos: paths.
      suffix: of the files, such as `.mp4`.
      flag: of the command line that gave the path, for messages.

    Returns:
      As many paths as there are videos, all different; none where nothing is to be written.

    Raises:
      ConfigError: a file is named for several videos, one of another kind, or one of the videos would be overwritten.
    """
    if path is None:
        return []
    if len(videos) == 1 and not path.is_dir():
        if path.suffix.lower() != suffix:
            raise ConfigError(f"{flag} {path} is no name for the file that is written; let it end in {suffix}")
        chosen = [path]
    elif path.suffix.lower() == suffix or path.is_file():
        raise ConfigError(f"{flag} {path} is one file, and there are {len(videos)} videos; name a folder")
    else:
        chosen = _different(path, [Path(video).stem for video in videos], suffix)
    sources = {Path(video).resolve() for video in videos}
    for file in chosen:
        if file.resolve() in sources:
            raise ConfigError(f"{flag} would overwrite the video {file}; name another place")
    return chosen


def _different(folder: Path, stems: Sequence[str], suffix: str) -> list[Path]:
    """Returns a path for each stem; those of one name are numbered."""
    chosen: dict[Path, None] = {}
    for stem in stems:
        file, number = folder / f"{stem}{suffix}", 1
        while file in chosen:
            number += 1
            file = folder / f"{stem}-{number}{suffix}"
        chosen[file] = None
    return list(chosen)
