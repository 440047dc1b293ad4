"""Frames at the times of a grid, chosen by their time stamps."""

import math
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

# Containers round time stamps, Matroska to whole milliseconds: a frame that is late by that much is still in time.
STAMP_TOLERANCE = 0.001


class Timed(Protocol):
    """What lasts from `time` to `end`, in seconds."""

    @property
    def time(self) -> float: ...

    @property
    def end(self) -> float: ...


TimedFrame = TypeVar("TimedFrame", bound=Timed)


def sample_and_hold(
    frames: Iterable[TimedFrame], frame_rate: float, start: float = 0.0
) -> Iterator[tuple[float, TimedFrame]]:
    """Yields (k / frame_rate, the last frame at or before that time) from `start` to the end of the last frame.

    A slower video repeats frames, a faster one drops some; where the rate varies, both. A video of however short
    a frame yields one.

    Args:
      frames: in order of time.
      frame_rate: of the grid, frames/s.
      start: seconds; grid times before it are left out.
    """
    step = math.ceil((start - STAMP_TOLERANCE) * frame_rate)
    held = None
    for frame in frames:
        while held is not None and step / frame_rate < frame.time - STAMP_TOLERANCE:
            yield step / frame_rate, held
            step += 1
        held = frame
    while held is not None and (step == 0 or step / frame_rate < held.end - STAMP_TOLERANCE):
        yield step / frame_rate, held
        step += 1
