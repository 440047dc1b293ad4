"""What the verbs print of the gestures in recordings."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Callable

from ostinato.errors import ConfigError
from ostinato.frames.timeline import WRITERS, as_text, segment_fields
from ostinato_gesture.results import GestureResult

Write = Callable[[str, GestureResult], str]

_CSV_FIELDS = ("recording", "start", "end", "label", "confidence")


def text_writer(num_recordings: int) -> Write:
    """Writes a line for the whole recording, and one for each event; a blank line between recordings."""

    def write(recording: str, result: GestureResult) -> str:
        events = "".join(f"  {line}\n" for line in as_text(result.events).splitlines())
        nothing = "" if events else "  no event\n"
        end = "\n" if num_recordings > 1 else ""
        return f"{recording}: {result.label} (confidence {result.confidence:.2f})\n{events}{nothing}{end}"

    return write


def json_writer(num_recordings: int) -> Write:
    """Writes one object a line for each recording."""
    return as_json


def csv_writer(num_recordings: int) -> Write:
    """Writes one table of the events of all recordings."""
    headers = iter([_CSV_FIELDS])

    def write(recording: str, result: GestureResult) -> str:
        table = io.StringIO()
        rows = csv.writer(table, lineterminator="\n")
        rows.writerows(headers)  # before the first recording only
        rows.writerows([recording, *segment_fields(event).values()] for event in result.events)
        return table.getvalue()

    return write


def subtitle_writer(name: str, num_recordings: int) -> Write:
    """Writes the subtitles of one recording.

    Raises:
      ConfigError: there are several; a file of subtitles belongs to one.
    """
    if num_recordings > 1:
        raise ConfigError(
            f"--format {name} is for one video, and there are {num_recordings}; take one, or --format json"
        )
    return lambda recording, result: WRITERS[name](result.events)


# Each is told the number of recordings and returns what writes one of them, its line ends included.
FORMATS: dict[str, Callable[[int], Write]] = {
    "text": text_writer,
    "json": json_writer,
    "csv": csv_writer,
    "srt": functools.partial(subtitle_writer, "srt"),
    "vtt": functools.partial(subtitle_writer, "vtt"),
}


def as_json(recording: str, result: GestureResult) -> str:
    """Returns one object on one line: times in seconds, confidences from 0 to 1."""
    record = {
        "recording": recording,
        "label": result.label,
        "confidence": round(result.confidence, 4),
        "duration": round(result.duration, 3),
        "events": [segment_fields(event) for event in result.events],
        "scores": {label: round(float(score), 4) for label, score in zip(result.labels, result.scores, strict=True)},
        "hand_share": round(result.hand_share, 4),
        **({} if result.damage is None else {"damage": result.damage}),
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
