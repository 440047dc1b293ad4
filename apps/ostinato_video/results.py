"""What is found in a video and in a frame of a stream."""

from __future__ import annotations

import bisect
import dataclasses

import numpy as np

from ostinato.frames.timeline import Segment

_TOLERANCE = 1e-6  # seconds: times of a grid are no exact numbers


@dataclasses.dataclass(frozen=True)
class VideoResult:
    """What happens in a video."""

    labels: tuple[str, ...]
    """those that the model knows, in the order of all scores"""
    label: str
    """of the whole clip; `unknown` where the model abstains"""
    confidence: float
    """that the whole clip has the most probable label, 0 to 1"""
    scores: np.ndarray
    """float32 [L]: of the whole clip, summing to 1"""
    segments: tuple[Segment, ...]
    """when what happens, in order, the background left out"""
    times: np.ndarray
    """float64 [F]: seconds at which each frame is seen"""
    frame_numbers: np.ndarray
    """int64 [F]: which frame of the file each one is; a slow video repeats some"""
    frame_scores: np.ndarray
    """float32 [F, L]: of each frame, from what was seen until then, each row summing to 1"""
    frame_rate: float
    """frames/s that were read"""
    damage: str | None = None
    """one sentence on what could not be read, None where all was"""
    background: str | None = None
    """label of frames in which nothing of interest happens, None where the model has none"""

    @property
    def duration(self) -> float:
        """Seconds that were read."""
        return float(self.times[-1]) + 1 / self.frame_rate

    def at(self, time: float) -> tuple[str, float]:
        """Returns what is seen at a time, the label of the timeline, and the score that its frame gives it.

        Where nothing is in the timeline it is the background.
        """
        frame = max(0, int(np.searchsorted(self.times, time + _TOLERANCE, side="right")) - 1)
        place = bisect.bisect_right(self.segments, time + _TOLERANCE, key=lambda segment: segment.start) - 1
        label = self.background or ""
        if place >= 0 and time + _TOLERANCE < self.segments[place].end:
            label = self.segments[place].label
        scores = self.frame_scores[frame]
        return label, float(scores[self.labels.index(label)] if label in self.labels else scores.max())


@dataclasses.dataclass(frozen=True)
class FrameResult:
    """What is seen in the newest frame of a stream."""

    label: str
    """of the frame; it does not flicker, see `SteadyLabel`"""
    confidence: float
    """score of that label, 0 to 1"""
    scores: np.ndarray
    """float32 [L]: of the frame, summing to 1"""
    clip_label: str
    """the most probable label of all that was seen so far, as a whole"""
    clip_confidence: float
    """score of that label, 0 to 1"""
