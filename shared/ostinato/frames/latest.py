"""The newest frame of a source, for whoever is slower than it."""

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ostinato.errors import ConfigError, InputError, UserError
from ostinato.frames.reading import Frame, VideoReader
from ostinato.frames.sources import LiveCapture, SourceLostError, is_file, open_live, source_name

_FIRST_WAIT, _LONGEST_WAIT = 0.25, 5.0  # seconds between attempts to reach a lost source; doubled each time
_JITTER = 0.25  # of the interval between frames wanted, by which one may come early
_CLOSE_SECONDS = 2.0  # so long a thread may take to end; one that waits for bytes is left behind


class LatestFrame:
    """Reads a source in a thread and keeps its newest frame; to be used in a `with` statement.

    A camera or stream that is lost is opened again, at growing intervals. Memory does not grow.

    Args:
      source: number of a camera or its device, address of a stream (rtsp://, http://), path of a video, or `-` for JPEG
        images on standard input, as `ffmpeg -f mjpeg -` writes them.
      paced: a file is played at its own rate, and its frames may be dropped like those of a camera; otherwise each is
        kept until it is taken.
      frame_rate: frames/s wanted. Of a file they are chosen as `VideoReader` does; of faster live sources, those in
        between are passed over; slower ones stay slow.
      max_side: larger frames are made smaller, so that their longer side has so many pixels.
      patience: seconds for which a lost source is tried.
      on_notice: is called, from the thread, with a sentence when a source is lost, is back, or a file is damaged.

    Attributes:
      captured: frames that came so far.
      dropped: those of them that newer ones replaced before they were taken.

    Raises:
      InputError: the source does not exist, cannot be reached, or sends no frame.
      ConfigError: a frame rate or side that is not positive.
    """

    def __init__(
        self,
        source: str | int | Path,
        *,
        paced: bool = True,
        frame_rate: float | None = None,
        max_side: int | None = None,
        patience: float = 60.0,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        if frame_rate is not None and not (frame_rate > 0 and math.isfinite(frame_rate)):
            raise ConfigError(
                f"A frame rate of {frame_rate} is not possible; give a positive number of frames a second."
            )
        if max_side is not None and max_side < 1:
            raise ConfigError(f"Frames of {max_side} pixels are not possible; give a positive number.")
        self.name = source_name(source)
        self.captured = 0
        self.dropped = 0
        self._source, self._max_side, self._frame_rate = source, max_side, frame_rate
        self._paced, self._patience, self._notice = paced, patience, on_notice or (lambda sentence: None)
        self._changed = threading.Condition()
        self._slot: tuple[Frame, float | None] | None = None
        self._over = False
        self._fault: UserError | None = None
        self._closing = threading.Event()
        # Opened here, so that a wrong name is known at once.
        if is_file(source):
            reader = VideoReader(str(source), frame_rate=frame_rate, max_side=max_side)
            run: Callable[[], None] = lambda: self._play(reader)  # noqa: E731
        else:
            capture = open_live(source, max_side)
            run = lambda: self._watch(capture)  # noqa: E731
        self._thread = threading.Thread(target=self._run, args=(run,), name=f"frames of {self.name}", daemon=True)
        self._thread.start()

    def get(self, timeout: float) -> tuple[Frame, float] | None:
        """Returns the newest frame and the `time.monotonic` at which it was captured; None when no more will come.

        A frame of a file that is not paced is captured when it is taken.

        Raises:
          TimeoutError: none came for so many seconds, but one may.
          InputError: the source was lost and did not come back, or is none.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._slot is not None or self._over, timeout)
            if self._slot is not None:
                (frame, captured_at), self._slot = self._slot, None
                self._changed.notify_all()
                return frame, time.monotonic() if captured_at is None else captured_at
            if self._fault is not None:
                raise self._fault
            if self._over:
                return None
        raise TimeoutError(f"{self.name} sent no frame for {timeout:g} s.")

    def close(self) -> None:
        """Ends the thread; does not wait for a source that is silent."""
        self._closing.set()
        with self._changed:
            self._slot, self._over = None, True
            self._changed.notify_all()
        self._thread.join(_CLOSE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, run: Callable[[], None]) -> None:
        try:
            run()
        except UserError as fault:
            self._fault = fault
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _play(self, reader: VideoReader) -> None:
        began = time.monotonic()
        with reader:
            for frame in reader:
                if self._paced:
                    self._closing.wait(began + frame.time - time.monotonic())
                self._offer(frame, time.monotonic() if self._paced else None)
                if self._closing.is_set():
                    return
            if reader.damage is not None:
                self._notice(reader.damage)

    def _watch(self, capture: LiveCapture | None) -> None:
        began, due = time.monotonic(), 0.0
        interval = 0.0 if self._frame_rate is None else 1 / self._frame_rate
        try:
            while capture is not None and not self._closing.is_set():
                try:
                    image = capture.read()
                except SourceLostError as loss:
                    capture.close()
                    capture = self._reopened(str(loss))
                    continue
                if image is None:
                    return
                now = time.monotonic()
                elapsed = now - began
                if elapsed >= due - _JITTER * interval:
                    self._offer(Frame(image, elapsed, self.captured), now)
                    due = max(due + interval, elapsed + interval / 2)  # after a pause not two at once
        finally:
            if capture is not None:
                capture.close()

    def _offer(self, frame: Frame, captured_at: float | None) -> None:
        with self._changed:
            if captured_at is None:
                self._changed.wait_for(lambda: self._slot is None or self._closing.is_set())
            if self._closing.is_set():
                return
            self.captured += 1
            self.dropped += self._slot is not None
            self._slot = frame, captured_at
            self._changed.notify_all()

    def _reopened(self, loss: str) -> LiveCapture | None:
        """The source, once it is back; None when it was closed meanwhile."""
        lost_at, wait = time.monotonic(), _FIRST_WAIT
        self._notice(f"{self.name} was lost ({loss}); trying for {self._patience:g} s to reach it again.")
        while not self._closing.wait(wait):
            try:
                capture = open_live(self._source, self._max_side)
            except InputError as fault:
                left = lost_at + self._patience - time.monotonic()
                if left <= 0:
                    words = f"{self.name} was lost and not there again within {self._patience:g} s"
                    raise InputError(f"{words}; check it, then start again. ({fault})") from None
                wait = min(2 * wait, _LONGEST_WAIT, left)
            else:
                self._notice(f"{self.name} is back after {time.monotonic() - lost_at:.1f} s.")
                return capture
        return None
