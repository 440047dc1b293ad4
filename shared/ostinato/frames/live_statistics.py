"""How quickly results of a live source come, over the frames of late."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

WINDOW = 512  # frames: some twenty seconds of a camera


class LiveStatistics:
    """Counts frames and measures latencies and rates, in the same memory however many frames come.

    Latencies and rates are those of the latest `window` frames, so that they tell how it goes now.

    Args:
      window: number of frames.

    Attributes:
      frames: results so far.
      captured: frames that the source gave so far, those that were dropped among them.
      dropped: frames of the source that were replaced by newer ones before they were looked at.
      latency_ms: milliseconds from the capture of the latest frame to its result.
      seconds: from the first result to the latest.
    """

    def __init__(self, window: int = WINDOW):
        self.frames = self.captured = self.dropped = 0
        self.latency_ms = self.seconds = 0.0
        self._first = 0.0
        self._latencies: deque[float] = deque(maxlen=window)
        self._counts: deque[tuple[float, int]] = deque(maxlen=window)

    def add(self, captured_at: float, known_at: float, *, captured: int, dropped: int) -> None:
        """Counts a result.

        Args:
          captured_at: when its frame was captured, in seconds of a clock that never goes back.
          known_at: when its result was known, by the same clock.
          captured: frames that the source has given until now.
          dropped: those of them that nobody looked at.
        """
        if not self.frames:
            self._first = known_at
        self.frames, self.captured, self.dropped = self.frames + 1, captured, dropped
        self.seconds = known_at - self._first
        self.latency_ms = 1000 * (known_at - captured_at)
        self._latencies.append(self.latency_ms)
        self._counts.append((known_at, captured))

    @property
    def latency_p50_ms(self) -> float:
        """Milliseconds within which half of the results were known."""
        return self._percentile(50)

    @property
    def latency_p95_ms(self) -> float:
        """Milliseconds within which 95 % of the results were known."""
        return self._percentile(95)

    @property
    def model_rate(self) -> float:
        """Results a second; 0 before the second."""
        return self._rate(len(self._counts) - 1)

    @property
    def source_rate(self) -> float:
        """Frames a second that the source gave, whether they were looked at or not; 0 before the second."""
        return self._rate(self._counts[-1][1] - self._counts[0][1]) if self._counts else 0.0

    def fields(self) -> dict[str, Any]:
        """Returns them as JSON shows them."""
        return {
            "latency_ms": round(self.latency_ms, 2),
            "latency_p50_ms": round(self.latency_p50_ms, 2),
            "latency_p95_ms": round(self.latency_p95_ms, 2),
            "model_rate": round(self.model_rate, 2),
            "source_rate": round(self.source_rate, 2),
            "dropped": self.dropped,
        }

    def lines(self) -> list[str]:
        """Returns them as the corner of a window shows them."""
        return [
            f"latency {self.latency_p50_ms:.0f} ms, 95 % below {self.latency_p95_ms:.0f} ms",
            f"model {self.model_rate:.1f} frames/s",
            f"source {self.source_rate:.1f} frames/s, {self.dropped} dropped",
        ]

    def _percentile(self, percent: float) -> float:
        return float(np.percentile(self._latencies, percent)) if self._latencies else 0.0

    def _rate(self, count: int) -> float:
        seconds = self._counts[-1][0] - self._counts[0][0] if self._counts else 0.0
        return count / seconds if seconds > 0 else 0.0
