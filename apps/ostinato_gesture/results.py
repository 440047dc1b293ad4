"""What is recognised in a recording, and in the newest frame of a stream."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from ostinato.frames.timeline import Segment

if TYPE_CHECKING:
    from ostinato_gesture.landmarks import Hands

UNKNOWN = "unknown"  # in the place of a label where the network has too little confidence, or nothing to go by


@dataclasses.dataclass(frozen=True)
class Event(Segment):
    """A gesture that was made, once.

    Attributes:
      start: seconds; since then the network has taken it into account.
      end: seconds at which it was last seen; of an event that has just fired, that is now.
      label: of the gesture.
      confidence: greatest score that it had, 0 to 1.
    """


@dataclasses.dataclass(frozen=True)
class GestureResult:
    """What is done in a recording."""

    labels: tuple[str, ...]
    """those that the model knows, in the order of all scores"""
    label: str
    """of the whole recording; `unknown` where the model abstains, or no hand was ever found"""
    confidence: float
    """that the whole has the most probable label, 0 to 1; 0 where no hand was ever found"""
    scores: np.ndarray
    """float32 [L]: of the whole, summing to 1"""
    events: tuple[Event, ...]
    """gestures in the order in which they were recognised, each once"""
    times: np.ndarray
    """float64 [F]: seconds of each frame"""
    frame_scores: np.ndarray
    """float32 [F, L]: of each frame, from what was seen until then, each row summing to 1"""
    frame_rate: float
    """frames/s that the network has read"""
    hand_share: float = 1.0
    """share of the frames in which a hand was found; 1 for recordings that are no landmarks of hands"""
    damage: str | None = None
    """one sentence on what could not be read, None where all was"""

    @property
    def duration(self) -> float:
        """Seconds that were read."""
        return float(self.times[-1]) + 1 / self.frame_rate


@dataclasses.dataclass(frozen=True)
class StepResult:
    """What is seen in the newest frame of a stream."""

    label: str
    """the most probable one of the frame; `unknown` where no hand is in view"""
    confidence: float
    """score of that label, 0 to 1"""
    scores: np.ndarray
    """float32 [L]: of the frame, summing to 1; those before it where the network did not read this frame"""
    event: Event | None
    """the gesture that was recognised at this very frame"""
    hands: Hands | None
    """those in the frame; None where no image came in"""
