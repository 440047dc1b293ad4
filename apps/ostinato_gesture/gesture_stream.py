"""Gestures that are recognised while they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ostinato.errors import InputError
from ostinato_gesture.events import EventSpotter
from ostinato_gesture.landmarks import HandLandmarks
from ostinato_gesture.model_facts import ModelFacts
from ostinato_gesture.recordings import checked_frames, is_image
from ostinato_gesture.results import UNKNOWN, Event, StepResult

if TYPE_CHECKING:
    from types import TracebackType

    from ostinato.export import Model
    from ostinato_gesture.config import EventConfig
    from ostinato_gesture.landmarks import Hands

_EARLY = 0.25  # of the time between two steps, by which a frame may come before its step is due: cameras tremble
_LONGEST_GAP = 1.0  # seconds after which what comes is another stream: the camera was away


class GestureStream:
    """Reads frame after frame, each at the same cost and in the same memory however many came before.

        with recognizer.stream() as stream:
            for image, time in camera:
                result = stream.step(image, time)
                if result.event is not None:
                    print(result.event.label)

    Images may come at any rate: hands are followed in each, and the network reads them at the frame rate that it has
    learned from. Where frames are missing, the hands stay where they were.

    Args:
      model: exported, or `unexported_model`.
      events: when scores become an event.
    """

    def __init__(self, model: Model, events: EventConfig) -> None:
        from ostinato.export import StreamingSession

        self.facts, self.events = ModelFacts.of(model.metadata), events
        self._session = StreamingSession(model)
        self._spotter = EventSpotter(self.facts.labels, events, none=self.facts.none)
        self._hand_landmarks: HandLandmarks | None = None  # loaded when the first image comes
        self._interval = 1 / self.facts.frame_rate
        self.reset()

    def reset(self) -> None:
        """Forgets what was seen: the next frame is the first one of another stream."""
        self._session.reset()
        self._spotter.reset()
        if self._hand_landmarks is not None:
            self._hand_landmarks.restart()
        self._scores = np.zeros(len(self.facts.labels), np.float32)
        self._previous: np.ndarray | None = None
        self._time = self._due = 0.0

    def warm_up(self) -> None:
        """Loads what the first images would otherwise wait for: some seconds of a camera."""
        self._session.step(np.zeros((1, *self.facts.frame_shape), np.float32))
        if self.facts.reads_images and self._hand_landmarks is None:
            self._hand_landmarks = HandLandmarks(self.facts.num_hands)
        self.reset()

    def step(self, frame: np.ndarray, time: float | None = None) -> StepResult:
        """Reads the next frame.

        Args:
          frame: image uint8 [H, W, 3], RGB, of any size; landmarks float [2, 21, 3], zero for hands that are not
            there; or features float [D], as the model reads them.
          time: seconds; if not given, one frame after the frame before, at the model's frame rate. A time that goes
            back, or leaves out more than a second, begins another stream.

        Raises:
          InputError: the frame is no such array, or the time no number.
        """
        previous = self._previous
        if time is None:
            time = 0.0 if previous is None else self._time + self._interval
        if not np.isfinite(time):
            raise InputError(f"The time of a frame must be a number of seconds, is {time}.")
        if previous is not None and not 0 <= time - self._time <= max(_LONGEST_GAP, 4 * self._interval):
            self.reset()
            previous = None
        if previous is None:
            self._due = time
        values, hands = self._read(frame, time)
        event = None
        while previous is not None and time >= self._due + (1 - _EARLY) * self._interval:
            event = self._advance(previous, self._due) or event
        if time >= self._due - _EARLY * self._interval:
            event = self._advance(values, time) or event
        self._previous, self._time = values, time
        label, confidence = self._label(values)
        return StepResult(label, confidence, self._scores, event, hands)

    def close(self) -> None:
        """Frees the models of the hand landmarker. Closing twice does nothing."""
        if self._hand_landmarks is not None:
            self._hand_landmarks.close()
            self._hand_landmarks = None

    def __enter__(self) -> GestureStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _advance(self, values: np.ndarray, time: float) -> Event | None:
        """Lets the network read a frame [...]; returns the event that fires, if one does."""
        outputs = self._session.step(values[np.newaxis])
        self._scores = outputs["frame_scores"][0]
        self._due += self._interval
        return self._spotter.step(self._scores, time, hand=self._shows_hand(values))

    def _read(self, frame: np.ndarray, time: float) -> tuple[np.ndarray, Hands | None]:
        """Returns the frame as the network reads it, and the hands in it if it is an image."""
        if self.facts.reads_images and is_image(frame):
            if self._hand_landmarks is None:
                self._hand_landmarks = HandLandmarks(self.facts.num_hands)
            hands = self._hand_landmarks.detect(frame, time)
            return hands.landmarks, hands
        return checked_frames(np.asarray(frame)[np.newaxis], self.facts)[0], None

    def _label(self, values: np.ndarray) -> tuple[str, float]:
        labels, none = self.facts.labels, self.facts.none
        if not self._shows_hand(values):
            return (UNKNOWN, 0.0) if none is None else (none, float(self._scores[labels.index(none)]))
        best = int(self._scores.argmax())
        return labels[best], float(self._scores[best])

    def _shows_hand(self, values: np.ndarray) -> bool:
        return not self.facts.reads_images or bool(values.any())
