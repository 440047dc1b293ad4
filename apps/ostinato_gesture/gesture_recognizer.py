"""Gestures in recordings for a Python user: videos or arrays in, events out, by an exported model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ostinato.errors import InputError
from ostinato.export import load_model
from ostinato.serving.served_model import served_model
from ostinato_gesture.config import EventConfig
from ostinato_gesture.events import EventLog, EventSpotter
from ostinato_gesture.model_facts import ModelFacts
from ostinato_gesture.results import UNKNOWN, Event, GestureResult, StepResult

if TYPE_CHECKING:
    from ostinato.export import Model
    from ostinato.frames.reading import Frame
    from ostinato_gesture.gesture_stream import GestureStream
    from ostinato_gesture.landmarks import HandLandmarks
    from ostinato_gesture.recordings import Chunk

    Recording = str | Path | np.ndarray | Iterable[np.ndarray | Frame]
    OnSeconds = Callable[[float], object]

__all__ = ["SHIPPED_MODEL", "Event", "GestureRecognizer", "GestureResult", "StepResult"]

SHIPPED_MODEL = "gesture"


class GestureRecognizer:
    """Recognises gestures with an exported model. Nothing but TensorFlow runs, and for images MediaPipe: no Keras.

        recognizer = GestureRecognizer.load()
        result = recognizer.recognize("evening.mp4")
        for event in result.events:
            print(event.start, event.end, event.label)

    Args:
      model: what `ostinato.export.load_model` or `ostinato.serving.served_model` returned.
    """

    def __init__(self, model: Model):
        self.model = model
        self.facts = ModelFacts.of(model.metadata)
        self._hand_landmarks: HandLandmarks | None = None

    @classmethod
    def load(cls, model: str | Path | None = None, *, server: str | None = None) -> GestureRecognizer:
        """Loads an exported folder (with or without its version) or a shipped model by name; else the one that ships.

        Args:
          model: what is loaded.
          server: address of a server that computes instead, see `ostinato.serving.served_model`; of the model's folder
            here only its facts are read.

        Raises:
          ModelError: there is no such model, it is damaged, or it recognises no gestures.
          ServerError: the address is none.
        """
        name = SHIPPED_MODEL if model is None else model
        loaded = load_model(name) if server is None else served_model(name, server)
        loaded.check_application("ostinato_gesture", "gestures")
        loaded.check_settings(EventConfig)
        return cls(loaded)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the model tells apart, in the order of all scores."""
        return self.facts.labels

    @property
    def none(self) -> str | None:
        """Label of what is no gesture; None where the model has none, which makes it unfit for live use."""
        return self.facts.none

    @property
    def kind(self) -> str:
        """What the model reads: `landmarks` of hands, which are found in images, or `features` of any other kind."""
        return self.facts.kind

    @property
    def frame_rate(self) -> float:
        """Frames/s that the model has learned from and reads videos at."""
        return self.facts.frame_rate

    @property
    def events(self) -> EventConfig:
        """The settings of events that the model was exported with."""
        return EventConfig(**self.model.metadata["decoding"])

    def recognize(
        self, recording: Recording, events: EventConfig | None = None, *, on_seconds: OnSeconds | None = None
    ) -> GestureResult:
        """Tells what is done in a recording: when which gesture, and a label for the whole.

        Hours take the memory of a few frames, besides the scores of each.

        Args:
          recording: path of a video; or frames at the model's frame rate: landmarks float [F, 2, 21, 3], features
            float [F, D], or images as uint8 [F, H, W, 3] or an iterator of images or `Frame` objects, whose own times
            are kept.
          events: when scores become an event; the model's own settings if not given.
          on_seconds: is called with the time up to which the recording has been read.

        Raises:
          InputError: it cannot be read, has no frames, or is not what the model reads. `recognize_each` goes on with
            the others.
        """
        from ostinato.export import StreamingSession

        events = events or self.events
        session = StreamingSession(self.model, "steps")
        log = EventLog(EventSpotter(self.labels, events, none=self.none))
        times, hands, frame_scores, scores = [], [], [], np.zeros(0)
        with self._opened(recording) as (chunks, damage):
            for chunk in chunks:
                outputs = session.step(chunk.frames[np.newaxis])
                log.add(outputs["frame_scores"][0], chunk.times, chunk.hands)
                times.append(chunk.times)
                hands.append(chunk.hands)
                frame_scores.append(outputs["frame_scores"][0])
                scores = outputs["scores"][0]
                if on_seconds is not None:
                    on_seconds(float(chunk.times[-1]))
            damaged = damage()
        if not times:
            raise InputError("there are no frames to look at; give one or more")
        hand_share = float(np.concatenate(hands).mean())
        best = int(scores.argmax())
        confidence = float(scores[best])
        return GestureResult(
            labels=self.labels,
            label=self.labels[best] if hand_share and confidence >= events.abstain else UNKNOWN,
            confidence=confidence if hand_share else 0.0,
            scores=scores,
            events=tuple(log.events),
            times=np.concatenate(times),
            frame_scores=np.concatenate(frame_scores),
            frame_rate=self.frame_rate,
            hand_share=hand_share,
            damage=damaged,
        )

    def recognize_each(
        self,
        recordings: Iterable[Recording | InputError],
        events: EventConfig | None = None,
        *,
        on_seconds: OnSeconds | None = None,
    ) -> Iterator[tuple[Recording | InputError, GestureResult | InputError]]:
        """Yields each recording with what is done in it, or with what is wrong with it, in order.

        Arguments as in `recognize`, `on_seconds` with the time over all recordings; an error that stands in the place
        of a recording is passed on.
        """
        before = 0.0
        for recording in recordings:
            if isinstance(recording, InputError):
                yield recording, recording
                continue
            try:
                result = self.recognize(recording, events, on_seconds=_after(before, on_seconds))
            except InputError as error:
                yield recording, error
                continue
            before += result.duration
            yield recording, result

    def stream(self, events: EventConfig | None = None) -> GestureStream:
        """Returns what recognises gestures frame by frame while they are made, from the first frame."""
        from ostinato_gesture.gesture_stream import GestureStream

        return GestureStream(self.model, events or self.events)

    @contextlib.contextmanager
    def _opened(self, recording: Recording) -> Iterator[tuple[Iterator[Chunk], Callable[[], str | None]]]:
        """Gives the pieces of a recording, and afterwards what of it could not be read."""
        from ostinato_gesture.recordings import checked_frames, chunks_of_array, chunks_of_images

        if isinstance(recording, np.ndarray) and not _are_images(recording):
            yield chunks_of_array(checked_frames(recording, self.facts), self.facts), lambda: None
            return
        if not self.facts.reads_images:
            raise InputError(
                f"The model reads features [frames, {self.facts.frame_shape[0]}] and no images; give such an array, "
                "or a .npz archive of them."
            )
        if not isinstance(recording, str | Path):
            yield chunks_of_images(self._frames(recording), self._landmarker()), lambda: None
            return
        from ostinato.frames.reading import VideoReader
        from ostinato_gesture.writing import LARGEST_SIDE

        with VideoReader(recording, frame_rate=self.frame_rate, max_side=LARGEST_SIDE) as reader:
            yield chunks_of_images(reader, self._landmarker()), lambda: reader.damage

    def _landmarker(self) -> HandLandmarks:
        """Returns what finds hands in the images of a new video."""
        if self._hand_landmarks is None:
            from ostinato_gesture.landmarks import HandLandmarks

            self._hand_landmarks = HandLandmarks(self.facts.num_hands)
        else:
            self._hand_landmarks.restart()
        return self._hand_landmarks

    def _frames(self, images: Iterable[np.ndarray | Frame]) -> Iterator[Frame]:
        from ostinato.frames.reading import Frame

        for number, image in enumerate(images):
            yield image if isinstance(image, Frame) else Frame(image, number / self.frame_rate, number)


def _are_images(frames: np.ndarray) -> bool:
    """Tells images, uint8 [F, H, W, 3], from landmarks and features."""
    return frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[3] == 3 and frames.shape[1:] != (2, 21, 3)


def _after(before: float, on_seconds: OnSeconds | None) -> OnSeconds | None:
    """Returns a function that adds the time of the recordings before."""
    return None if on_seconds is None else lambda seconds: on_seconds(before + seconds)
