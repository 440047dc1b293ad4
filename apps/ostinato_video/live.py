"""Labels of a camera or stream while it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ostinato.frames.live import LiveSource, live_loop, live_record

if TYPE_CHECKING:
    import numpy as np

    from ostinato.frames.live import Display
    from ostinato.frames.live_statistics import LiveStatistics
    from ostinato.frames.reading import Frame
    from ostinato_video.results import FrameResult
    from ostinato_video.video_classifier import VideoClassifier

_STAMP_TOLERANCE = 0.002  # seconds by which a frame may come before its time


class PacedSource:
    """Frames of a live source at the rate that the network has learned from, until so many have come.

    A camera is usually faster than that: frames in between are passed over as soon as they come, so that the one that
    is taken is always the newest. A slower source is left as it is.

    Args:
      source: where frames come from.
      frame_rate: frames/s, by the time that frames bear.
      max_frames: how many are given; 0 for all.
    """

    def __init__(self, source: LiveSource, frame_rate: float, max_frames: int = 0) -> None:
        self.source, self.frame_rate, self.max_frames = source, frame_rate, max_frames
        self._given = 0
        self._due = self._latest = 0.0

    @property
    def captured(self) -> int:
        """Frames that the source has captured."""
        return self.source.captured

    @property
    def dropped(self) -> int:
        """Frames that came while the network was busy; those that were passed over are none of them."""
        return self.source.dropped

    def get(self, timeout: float) -> tuple[Frame, float] | None:
        """Returns the next frame that is due and when it was captured, None at the end; see `LiveSource`."""
        if self.max_frames and self._given >= self.max_frames:
            return None
        while (taken := self.source.get(timeout)) is not None:
            frame, _ = taken
            if self._is_due(frame.time):
                self._given += 1
                return taken
        return None

    def _is_due(self, time: float) -> bool:
        if time < self._latest:  # the source began anew
            self._due = time
        self._latest = time
        if time < self._due - _STAMP_TOLERANCE:
            return False
        # A grid, so that late frames do not add up to a lower rate; after a gap it begins anew.
        following = self._due + 1 / self.frame_rate
        self._due = following if following > time else time + 1 / self.frame_rate
        return True


def label_stream(
    classifier: VideoClassifier,
    source: LiveSource,
    *,
    max_frames: int = 0,
    show: Display | None = None,
    on_result: Callable[[Frame, FrameResult, LiveStatistics], None] | None = None,
) -> LiveStatistics:
    """Labels the newest frames of a source until it or its window ends.

    Args:
      classifier: whose stream reads them, at its own frame rate.
      source: of frames; whoever opened it closes it.
      max_frames: ends after so many; 0 for no end.
      show: where frames and labels are seen.
      on_result: is called with each frame that was read, its labels and the statistics up to it.
    """
    stream = classifier.stream()
    paced = PacedSource(source, classifier.frame_rate, max_frames)
    return live_loop(paced, lambda frame: stream.step(frame.image), show=show, on_result=on_result)


def run_live(
    classifier: VideoClassifier,
    source: str,
    *,
    headless: bool = False,
    real_time: bool = True,
    max_frames: int = 0,
    patience: float = 30.0,
    write: Callable[[str], object] = lambda line: None,
    on_notice: Callable[[str], None] = lambda sentence: None,
) -> LiveStatistics:
    """Opens a source, labels it, and shows it in a window, or writes a line for each frame that was read.

    Args:
      classifier: the model.
      source: number of a camera, path of a video, `rtsp://` or `http://` address, or `-` for JPEG images on standard
        input.
      headless: opens no window; `write` gets JSON lines.
      real_time: plays a file at its own rate; otherwise it is read as fast as the network goes.
      max_frames: ends after so many; 0 for no end.
      patience: seconds for which a source that was lost is waited for.
      write: is given each line.
      on_notice: is given a sentence when a source is lost or comes back.

    Raises:
      InputError: the source cannot be opened, or did not come back in time.
      UserError: no window can be opened.
    """
    from ostinato.frames.latest import LatestFrame
    from ostinato.frames.sources import is_file
    from ostinato_video.reading import LARGEST_SIDE

    def print_line(frame: Frame, result: FrameResult, statistics: LiveStatistics) -> None:
        write(live_record(frame, result_fields(result), statistics))

    with LatestFrame(
        source,
        paced=real_time,
        # Of a file the very frames are read that `predict` reads; a camera tells its true rate only if all are taken.
        frame_rate=classifier.frame_rate if is_file(source) else None,
        max_side=LARGEST_SIDE,
        patience=patience,
        on_notice=on_notice,
    ) as frames:
        if headless:
            return label_stream(classifier, frames, max_frames=max_frames, on_result=print_line)
        from ostinato.frames.window import Window

        with Window(f"ostinato-video {frames.name}", _drawing(classifier)) as window:
            return label_stream(classifier, frames, max_frames=max_frames, show=window)


def result_fields(result: FrameResult) -> dict[str, Any]:
    """Returns the labels of a frame as JSON shows them."""
    fields = {name: value for name, value in dataclasses.asdict(result).items() if name != "scores"}
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in fields.items()}


def _drawing(classifier: VideoClassifier) -> Callable[[Frame, FrameResult, LiveStatistics], np.ndarray]:
    from ostinato.frames.overlay import Overlay

    overlay = Overlay(classifier.labels)

    def draw(frame: Frame, result: FrameResult, statistics: LiveStatistics) -> np.ndarray:
        clip = f"so far: {result.clip_label} {100 * result.clip_confidence:.0f} %"
        lines = [clip, *statistics.lines()]
        return overlay.draw(frame.image, frame.time, result.label, result.confidence, lines=lines)

    return draw
