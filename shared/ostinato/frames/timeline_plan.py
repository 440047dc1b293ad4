"""Where everything in the picture of a timeline is, in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ostinato.font import cut_text, load_font

if TYPE_CHECKING:
    from ostinato.frames.reading import Frame

WIDTH, MARGIN, GAP = 1600, 48, 20
LEGEND_FONT, LEGEND_CHIP, LEGEND_SPACE = 16, 14, 8
CAPTION_HEIGHT = 44  # of what is written under a key frame
_GUTTER = 56  # holds the numbers of the vertical axis
_HEADING_HEIGHT, _LEGEND_HEIGHT, _LONGEST_NAME = 112, 30, 300
_LANE_HEIGHT, _CURVES_HEIGHT, _AXIS_HEIGHT, _FAN_HEIGHT = 56, 220, 40, 44
_LEAST_SLOTS, _TALLEST_KEY_FRAME = 4, 1.4  # of its width
_MOST_TICKS = 14
_TICK_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


@dataclass(frozen=True)
class LegendEntry:
    """A label with the colour it is drawn in: its place, the name as far as it fits, how long it lasts in all."""

    label: str
    name: str
    total: str
    column: int
    row: int


class TimelinePlan:
    """Where the lane of segments, the curves, the axis and the key frames are.

    Args:
      duration: of the video in seconds.
      totals: each label that is shown, and its seconds, None where it has only a curve.
      has_curves: whether there are scores.
      key_frames: in the order of their times.
    """

    def __init__(
        self,
        duration: float,
        totals: Iterable[tuple[str, float | None]],
        has_curves: bool,
        key_frames: Sequence[Frame],
    ):
        self.duration, self.has_curves = duration, has_curves
        self.left, self.right = MARGIN + _GUTTER, WIDTH - MARGIN
        self.legend, legend_bottom = _place_legend(totals)
        self.lane_top = legend_bottom + GAP
        self.lane_bottom = self.lane_top + _LANE_HEIGHT
        self.curves_top = self.lane_bottom + GAP * has_curves
        self.curves_bottom = self.curves_top + _CURVES_HEIGHT * has_curves
        self.axis_bottom = self.curves_bottom + _AXIS_HEIGHT
        self.height = self.axis_bottom + MARGIN // 2
        # Few key frames stand at the left, they are not enlarged.
        slots = max(_LEAST_SLOTS, len(key_frames))
        self.key_frame_width = (self.right - self.left + GAP // 2) // slots - GAP // 2
        self.key_frames_top = self.axis_bottom + _FAN_HEIGHT
        tallest = max((frame.image.shape[0] / frame.image.shape[1] for frame in key_frames), default=0.0)
        self.key_frame_height = round(self.key_frame_width * min(_TALLEST_KEY_FRAME, tallest))
        if key_frames:
            self.height = self.key_frames_top + self.key_frame_height + CAPTION_HEIGHT + MARGIN

    def column(self, time: float) -> float:
        """Returns where a time is."""
        return self.left + (self.right - self.left) * min(1.0, max(0.0, time / self.duration))

    def row(self, score: float) -> float:
        """Returns where a score is among the curves."""
        return self.curves_bottom - (self.curves_bottom - self.curves_top) * score

    def key_frame_left(self, number: int) -> int:
        """Returns where a key frame begins."""
        return self.left + number * (self.key_frame_width + GAP // 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Returns the times at which the axis is numbered, and how they are written."""
        step = next((step for step in _TICK_STEPS if self.duration / step <= _MOST_TICKS), None)
        step = step or 3600 * math.ceil(self.duration / _MOST_TICKS / 3600)
        count = math.floor(self.duration / step + 1e-6) + 1
        return [(number * step, short_time(number * step, step < 1)) for number in range(count)]


def short_time(seconds: float, with_tenths: bool = False) -> str:
    """Returns seconds without hours where there are none, such as `1:05`, `1:05.2`, `1:00:05`."""
    tenths = round(10 * seconds) if with_tenths else 10 * round(seconds)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{start}:{tenths // 10:02}" + (f".{tenths % 10}" if with_tenths else "")


def _place_legend(totals: Iterable[tuple[str, float | None]]) -> tuple[list[LegendEntry], int]:
    """Returns the entries in as many rows as they need, and where the last row ends."""
    font = load_font(LEGEND_FONT)
    entries: list[LegendEntry] = []
    column, row = MARGIN, _HEADING_HEIGHT
    for label, seconds in totals:
        name = cut_text(" ".join(label.split()), _LONGEST_NAME, font)
        total = "" if seconds is None else short_time(seconds, with_tenths=True)
        width = round(LEGEND_CHIP + 2 * LEGEND_SPACE + font.getlength(name) + font.getlength(total))
        if entries and column + width > WIDTH - MARGIN:
            column, row = MARGIN, row + _LEGEND_HEIGHT
        entries.append(LegendEntry(label, name, total, column, row))
        column += width + 36
    return entries, row + _LEGEND_HEIGHT * bool(entries)
