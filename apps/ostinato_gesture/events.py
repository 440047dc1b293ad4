"""Scores of frames to events: a gesture fires once, however long it is held and however its score flickers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ostinato_gesture.results import Event

if TYPE_CHECKING:
    from ostinato_gesture.config import EventConfig

HANDLESS_SECONDS = 0.5  # a hand may be lost so long in the middle of a gesture: motion blurs it
_TOLERANCE = 1e-6  # seconds: times of a grid are no exact numbers


@dataclasses.dataclass
class _Candidate:
    """A label whose score has not been below `fall` since `start`."""

    number: int
    start: float  # seconds
    risen_at: float | None = None  # since when it has been at `rise` or above
    confidence: float = 0.0


class EventSpotter:
    """Reads the scores of a stream frame by frame, each at the same cost, and tells when a gesture was made.

    A label becomes an event once its score has stayed at `rise` or above for `min_seconds`. The event is held until
    its score falls below `fall`: a held gesture fires once. What comes up again within `refractory_seconds` after it
    fell is that same event, flickering. Another gesture may follow at once; there is one event at a time.

        spotter = EventSpotter(labels, config, none="none")
        for scores, time in stream:
            event = spotter.step(scores, time)  # None but for the frames at which a gesture is recognised

    Args:
      labels: names of the L labels, in the order of the scores.
      config: thresholds and times.
      none: the label of what is no gesture, which never fires; None where there is none.
    """

    def __init__(self, labels: Sequence[str], config: EventConfig, *, none: str | None = None):
        self.labels, self.config = tuple(labels), config
        self._is_gesture = np.array([label != none for label in self.labels])
        self.reset()

    def reset(self) -> None:
        """Forgets everything: the next frame is the first one of another stream."""
        self._candidate: _Candidate | None = None
        self._last: Event | None = None
        self._last_number = -1
        self._is_held = False
        self._seen_at = np.full(len(self.labels), -np.inf)  # when an event of each label was last held
        self._hand_at = -np.inf

    @property
    def held(self) -> Event | None:
        """The event that still goes on, with its end and confidence as they are now."""
        return self._last if self._is_held else None

    def step(self, scores: np.ndarray, time: float, *, hand: bool = True) -> Event | None:
        """Reads the next frame.

        Args:
          scores: float [L], 0 to 1.
          time: seconds, not before that of the frame before.
          hand: whether there is a hand in it. Where none was for `HANDLESS_SECONDS`, nothing is recognised.

        Returns:
          the event that fires at this frame, if one does; its end is this frame.
        """
        if hand:
            self._hand_at = time
        if time - self._hand_at > HANDLESS_SECONDS:
            self._candidate, self._is_held = None, False
            return None
        self._hold(scores, time)
        self._follow(scores, time)
        candidate = self._candidate
        if candidate is None or candidate.risen_at is None:
            return None
        if time - candidate.risen_at < self.config.min_seconds - _TOLERANCE:
            return None
        self._candidate = None
        self._last_number, self._is_held = candidate.number, True
        self._seen_at[candidate.number] = time
        self._last = Event(max(0.0, candidate.start), time, self.labels[candidate.number], candidate.confidence)
        return self._last

    def _hold(self, scores: np.ndarray, time: float) -> None:
        """Lets the last event go on, end, or come up again."""
        if self._last is None:
            return
        score = float(scores[self._last_number])
        if self._is_held:
            self._is_held = score >= self.config.fall
        else:
            self._is_held = score >= self.config.rise and self._rests(self._last_number, time)
        if self._is_held:
            self._seen_at[self._last_number] = time
            self._last = dataclasses.replace(self._last, end=time, confidence=max(self._last.confidence, score))

    def _follow(self, scores: np.ndarray, time: float) -> None:
        """Takes up a label that may become an event, or drops it."""
        best = int(np.where(self._is_gesture, scores, -1.0).argmax())
        score = float(scores[best])
        if self._candidate is not None and (
            scores[self._candidate.number] < self.config.fall
            or (best != self._candidate.number and score >= self.config.rise)
        ):
            self._candidate = None
        if self._candidate is None:
            if not self._is_gesture[best] or score < self.config.fall or self._rests(best, time):
                return
            self._candidate = _Candidate(best, time)
        candidate = self._candidate
        own = float(scores[candidate.number])
        candidate.confidence = max(candidate.confidence, own)
        if own < self.config.rise:
            candidate.risen_at = None
        elif candidate.risen_at is None:
            candidate.risen_at = time

    def _rests(self, number: int, time: float) -> bool:
        """Whether a label cannot fire yet: an event of it is held, or was only just."""
        return time - self._seen_at[number] <= self.config.refractory_seconds + _TOLERANCE


def spot_events(
    frame_scores: np.ndarray,
    times: np.ndarray,
    labels: Sequence[str],
    config: EventConfig,
    *,
    none: str | None = None,
    hands: np.ndarray | None = None,
) -> tuple[Event, ...]:
    """Returns the events of a whole recording: those that a stream of the same frames fires, each with its true end.

    Args:
      frame_scores: float [F, L], 0 to 1.
      times: float [F], seconds, ascending.
      labels: in the order of the scores.
      config: thresholds and times.
      none: the label of what is no gesture.
      hands: bool [F], whether a hand is in the frame; None where each counts.
    """
    log = EventLog(EventSpotter(labels, config, none=none))
    log.add(frame_scores, times, np.ones(len(times), bool) if hands is None else hands)
    return tuple(log.events)


class EventLog:
    """Keeps the events of a recording that is read in pieces.

    Args:
      spotter: at the start of the recording.

    Attributes:
      events: in the order in which they fired, each ending where it was last seen.
    """

    def __init__(self, spotter: EventSpotter):
        self.spotter = spotter
        self.events: list[Event] = []

    def add(self, frame_scores: np.ndarray, times: Iterable[float], hands: Iterable[bool]) -> None:
        """Reads more frames: scores float [F, L], seconds [F], bool [F]."""
        for scores, time, hand in zip(frame_scores, times, hands, strict=True):
            event = self.spotter.step(scores, float(time), hand=bool(hand))
            if event is not None:
                self.events.append(event)
            elif self.spotter.held is not None:
                self.events[-1] = self.spotter.held
