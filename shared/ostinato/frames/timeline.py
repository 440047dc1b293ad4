"""What happens when: segments of a video, and the formats in which they are written."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

# SubRip has no escapes: players take `<` for the beginning of a tag, and readers an arrow for a line of times.
_SUBRIP_LOOKALIKES = str.maketrans({"<": "\u2039", ">": "\u203a"})
_ARROW, _ARROW_LOOKALIKE = "-->", "\u2192"
_WEBVTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True)
class Segment:
    """A stretch of a video with one label.

    Attributes:
      start: seconds from the start of the video.
      end: seconds, the moment after its last frame.
      label: what happens in it.
      confidence: from 0 to 1.

    Raises:
      ValueError: it starts before the video or ends before it starts.
    """

    start: float
    end: float
    label: str
    confidence: float

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end < math.inf:
            raise ValueError(f"A segment cannot last from {self.start} to {self.end} seconds.")

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


def segment_fields(segment: Segment) -> dict[str, Any]:
    """Returns a segment as JSON and CSV show it: seconds to the millisecond, the confidence to four places."""
    return {
        "start": round(float(segment.start), 3),
        "end": round(float(segment.end), 3),
        "label": segment.label,
        "confidence": round(float(segment.confidence), 4),
    }


def as_text(segments: Iterable[Segment]) -> str:
    """Returns a line for each segment: from when to when, its label, its confidence."""
    listed = list(segments)
    width = max((len(_one_line(segment.label)) for segment in listed), default=0)
    return "".join(
        f"{clock_time(segment.start)} - {clock_time(segment.end)}  {_one_line(segment.label):{width}}"
        f"  (confidence {segment.confidence:.2f})\n"
        for segment in listed
    )


def as_json(segments: Iterable[Segment]) -> str:
    """Returns one object a line, its times in seconds."""
    return "".join(
        json.dumps(segment_fields(segment), ensure_ascii=False, allow_nan=False) + "\n" for segment in segments
    )


def as_csv(segments: Iterable[Segment]) -> str:
    """Returns a table with a header, its times in seconds."""
    table = io.StringIO()
    writer = csv.DictWriter(table, ("start", "end", "label", "confidence"), lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(segment_fields, segments))
    return table.getvalue()


def as_srt(segments: Iterable[Segment]) -> str:
    """Returns SubRip subtitles, a numbered one for each segment.

    SubRip has no escapes, so that an arrow or angle brackets in a label are written as characters that look alike.
    """
    return "".join(
        f"{number}\n{_cue_times(segment, ',')}\n"
        f"{_cue_text(segment).replace(_ARROW, _ARROW_LOOKALIKE).translate(_SUBRIP_LOOKALIKES)}\n\n"
        for number, segment in enumerate(segments, start=1)
    )


def as_vtt(segments: Iterable[Segment]) -> str:
    """Returns WebVTT subtitles, which a `<track>` of a web page shows.

    Reference: WebVTT, W3C, section 4.1.
    """
    cues = (f"\n{_cue_times(segment, '.')}\n{_cue_text(segment).translate(_WEBVTT_ESCAPES)}\n" for segment in segments)
    return "".join(["WEBVTT\n", *cues])


# Each returns what a file of the format holds: nothing, or lines of which the last one is ended too.
WRITERS: dict[str, Callable[[Iterable[Segment]], str]] = {
    "text": as_text,
    "json": as_json,
    "csv": as_csv,
    "srt": as_srt,
    "vtt": as_vtt,
}


def clock_time(seconds: float) -> str:
    """Returns seconds as people read them, such as `1:02:03.45`."""
    hundredths = round(100 * seconds)
    minutes, hundredths = divmod(hundredths, 60 * 100)
    return f"{minutes // 60}:{minutes % 60:02}:{hundredths // 100:02}.{hundredths % 100:02}"


def _cue_times(segment: Segment, point: str) -> str:
    start = round(1000 * segment.start)
    end = max(start + 1, round(1000 * segment.end))  # WebVTT refuses a cue that ends when it starts
    return f"{_cue_time(start, point)} --> {_cue_time(end, point)}"


def _cue_time(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{point}{milliseconds:03}"


def _cue_text(segment: Segment) -> str:
    return f"{_one_line(segment.label)} ({100 * segment.confidence:.0f} %)"


def _one_line(label: str) -> str:
    """Line ends within a label would end its subtitle."""
    return " ".join(label.split())
