"""Gestures of a camera or stream while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ostinato.errors import ModelError
from ostinato.frames.live import LiveSource, live_loop, live_record
from ostinato.frames.timeline import segment_fields

if TYPE_CHECKING:
    import numpy as np

    from ostinato.frames.live import Display
    from ostinato.frames.live_statistics import LiveStatistics
    from ostinato.frames.reading import Frame
    from ostinato_gesture.config import EventConfig
    from ostinato_gesture.gesture_recognizer import GestureRecognizer
    from ostinato_gesture.gesture_stream import GestureStream
    from ostinato_gesture.results import Event, StepResult

_SHOWN_SECONDS = 2.0  # that an event stands in the window


class FirstFrames:
    """The first frames of a live source.

    Args:
      source: where frames come from.
      max_frames: how many are given; 0 for all.
    """

    def __init__(self, source: LiveSource, max_frames: int) -> None:
        self.source, self.max_frames = source, max_frames
        self._given = 0

    @property
    def captured(self) -> int:
        """Frames that the source has captured."""
        return self.source.captured

    @property
    def dropped(self) -> int:
        """Frames that came while the network was busy."""
        return self.source.dropped

    def get(self, timeout: float) -> tuple[Frame, float] | None:
        """Returns the next frame and when it was captured, None at the end; see `LiveSource`."""
        if self.max_frames and self._given >= self.max_frames:
            return None
        taken = self.source.get(timeout)
        self._given += taken is not None
        return taken


class Watch:
    """What became of the frames of a live source: those with hands in them, and the events.

    Attributes:
      frames_with_hands: how many.
      events: how many fired.
      latest: the one that fired last.
    """

    def __init__(self) -> None:
        self.frames_with_hands = self.events = 0
        self.latest: Event | None = None

    def add(self, result: StepResult) -> None:
        """Counts the result of a frame."""
        self.frames_with_hands += result.hands is not None and bool(result.hands.presence.any())
        if result.event is not None:
            self.events, self.latest = self.events + 1, result.event


def recognize_stream(
    stream: GestureStream,
    source: LiveSource,
    *,
    max_frames: int = 0,
    show: Display | None = None,
    on_result: Callable[[Frame, StepResult, LiveStatistics], None] | None = None,
) -> LiveStatistics:
    """Recognises gestures in the newest frames of a source until it or its window ends.

    Args:
      stream: what reads them.
      source: of frames; whoever opened it closes it.
      max_frames: ends after so many; 0 for no end.
      show: where frames and hands are seen.
      on_result: is called with each frame that was read, what is seen in it and the statistics up to it.
    """
    source = FirstFrames(source, max_frames)
    return live_loop(source, lambda frame: stream.step(frame.image, frame.time), show=show, on_result=on_result)


def run_live(
    recognizer: GestureRecognizer,
    source: str,
    *,
    events: EventConfig | None = None,
    headless: bool = False,
    every_frame: bool = False,
    real_time: bool = True,
    max_frames: int = 0,
    patience: float = 30.0,
    act: Callable[[Event], None] = lambda event: None,
    write: Callable[[str], object] = lambda line: None,
    on_notice: Callable[[str], None] = lambda sentence: None,
) -> LiveStatistics:
    """Opens a source, tells of each gesture in it once, and shows it in a window unless told not to.

    Args:
      recognizer: the model.
      source: number of a camera, path of a video, `rtsp://` or `http://` address, or `-` for JPEG images on standard
        input.
      events: when scores become an event; the model's own settings if not given.
      headless: opens no window.
      every_frame: writes a line for each frame, not only for events.
      real_time: plays a file at its own rate; otherwise it is read as fast as the network goes.
      max_frames: ends after so many; 0 for no end.
      patience: seconds for which a source that was lost, or cannot be reached, is waited for.
      act: is given each event as it fires.
      write: is given each line of JSON.
      on_notice: is given a sentence when a source is lost or comes back, and where no hand was ever seen.

    Raises:
      InputError: the source cannot be opened, or did not come back in time.
      ModelError: the model reads no hands, or knows no label of what is no gesture.
      UserError: no window can be opened.
    """
    from ostinato.frames.latest import LatestFrame
    from ostinato_gesture.writing import LARGEST_SIDE

    _check_fit(recognizer)
    watch = Watch()

    def tell(frame: Frame, result: StepResult, statistics: LiveStatistics) -> None:
        watch.add(result)
        if result.event is not None:
            act(result.event)
        if result.event is not None or every_frame:
            write(live_record(frame, result_fields(result, every_frame=every_frame), statistics))

    with recognizer.stream(events) as stream:
        stream.warm_up()  # before the camera runs
        with LatestFrame(
            source, paced=real_time, max_side=LARGEST_SIDE, patience=patience, on_notice=on_notice
        ) as frames:
            if headless:
                statistics = recognize_stream(stream, frames, max_frames=max_frames, on_result=tell)
            else:
                from ostinato.frames.window import Window

                with Window(f"ostinato-gesture {frames.name}", _drawing(recognizer, watch)) as window:
                    statistics = recognize_stream(stream, frames, max_frames=max_frames, show=window, on_result=tell)
    if statistics.frames and not watch.frames_with_hands:
        on_notice(
            f"no hand was found in any of {statistics.frames} frames; hold it into the picture, nearer to the camera "
            "and in better light."
        )
    return statistics


def result_fields(result: StepResult, *, every_frame: bool) -> dict[str, Any]:
    """Returns what is seen in a frame as JSON shows it: its event, and with `every_frame` its label and hands."""
    fields: dict[str, Any] = {}
    if result.event is not None:
        fields["event"] = segment_fields(result.event)
    if every_frame:
        num_hands = 0 if result.hands is None else int(result.hands.presence.sum())
        fields |= {"label": result.label, "confidence": round(result.confidence, 4), "hands": num_hands}
    return fields


def _check_fit(recognizer: GestureRecognizer) -> None:
    if not recognizer.facts.reads_images:
        raise ModelError(
            f"the model in {recognizer.model.path} reads features of another kind, not hands in images; name another"
        )
    if recognizer.none is None:
        raise ModelError(
            f"the model in {recognizer.model.path} has no label for what is no gesture, so that everything would be "
            "one; record some with `ostinato-gesture record none`, and train again"
        )


def _drawing(recognizer: GestureRecognizer, watch: Watch) -> Callable[[Frame, StepResult, LiveStatistics], np.ndarray]:
    from ostinato.frames.overlay import Overlay

    overlay = Overlay(recognizer.labels)

    def draw(frame: Frame, result: StepResult, statistics: LiveStatistics) -> np.ndarray:
        height, width = frame.image.shape[:2]
        event = watch.latest
        fresh = event is not None and 0 <= frame.time - event.end < _SHOWN_SECONDS
        lines = [f">> {event.label}"] if event is not None and fresh else []
        hands = [] if result.hands is None else result.hands.shares(width, height)
        return overlay.draw(
            frame.image,
            frame.time,
            result.label,
            result.confidence,
            lines=[*lines, *statistics.lines()],
            hands=hands,
        )

    return draw
