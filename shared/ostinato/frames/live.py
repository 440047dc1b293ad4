"""The live loop: the newest frame of a camera or stream, its result, and how long that took."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ostinato.frames.live_statistics import LiveStatistics

if TYPE_CHECKING:
    from ostinato.frames.reading import Frame

Result = TypeVar("Result")

_WAIT_SECONDS = 0.1  # so long at most a window does not react while its source is silent


class LiveSource(Protocol):
    """What the loop needs of a source; `ostinato.frames.latest.LatestFrame` is one.

    Attributes:
      captured: frames that came so far.
      dropped: those of them that were replaced by newer ones before they were taken.
    """

    @property
    def captured(self) -> int: ...

    @property
    def dropped(self) -> int: ...

    def get(self, timeout: float) -> tuple[Frame, float] | None:
        """Returns the newest frame and the `time.monotonic` at which it was captured; None when no more will come.

        Raises:
          TimeoutError: none came for so many seconds, but one may.
        """


class Display(Protocol):
    """What the loop needs of a window; `ostinato.frames.window.Window` is one."""

    def show(self, frame: Frame, result: Any, statistics: LiveStatistics) -> None: ...

    def ended(self) -> bool: ...


def live_loop(
    source: LiveSource,
    process: Callable[[Frame], Result],
    *,
    show: Display | None = None,
    on_result: Callable[[Frame, Result, LiveStatistics], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> LiveStatistics:
    """Gives each newest frame to a network, and its result to whoever wants it, until the source or its window ends.

    Latency counts from the capture of a frame until its result is known; what is then done with the result is
    no part of it. Memory does not grow with the number of frames.

    Args:
      source: of frames; whoever opened it closes it.
      process: from a frame to its result.
      show: where frames and results are seen; it is asked, also while no frame comes, whether the user has ended it.
      on_result: is called with the frame, its result and the statistics up to it.
      clock: seconds, the clock by which the source says when frames were captured.

    Returns:
      The statistics up to the last frame.
    """
    statistics = LiveStatistics()
    while show is None or not show.ended():
        try:
            taken = source.get(timeout=_WAIT_SECONDS)
        except TimeoutError:
            continue
        if taken is None:
            break
        frame, captured_at = taken
        result = process(frame)
        statistics.add(captured_at, clock(), captured=source.captured, dropped=source.dropped)
        if on_result is not None:
            on_result(frame, result, statistics)
        if show is not None:
            show.show(frame, result, statistics)
    return statistics


def live_record(frame: Frame, fields: Mapping[str, Any], statistics: LiveStatistics) -> str:
    """Returns what happened at a frame as one line of JSON.

    Args:
      frame: its time (seconds) and number come first.
      fields: of its result, such as label and confidence.
      statistics: up to it: latencies in milliseconds, rates in frames/s.
    """
    record = {"time": round(frame.time, 3), "frame": frame.number, **fields, **statistics.fields()}
    return json.dumps(record, ensure_ascii=False, allow_nan=False)
