"""Clips of a gesture from a camera, with a count-down before each."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ostinato.config import check
from ostinato.errors import ConfigError, InputError
from ostinato.frames.live import LiveSource, live_loop
from ostinato.frames.video_writer import VideoWriter

if TYPE_CHECKING:
    from ostinato.frames.live import Display
    from ostinato.frames.live_statistics import LiveStatistics
    from ostinato.frames.reading import Frame

FRAME_RATE = 30.0  # of the clips, frames/s; a slower camera repeats frames
_LONGEST_GAP = 1.0  # seconds without a frame, after which a clip is begun anew
_MAX_SIDE = 640  # pixels


@dataclasses.dataclass(frozen=True)
class RecordConfig:
    """How clips are recorded."""

    clips: int = 5
    """how many are recorded"""
    seconds: float = 3.0
    """length of each"""
    count_down: float = 3.0
    """seconds before each"""

    def __post_init__(self) -> None:
        check(self.clips >= 1, f"--clips {self.clips} is not 1 or more")
        check(0.2 <= self.seconds <= 3600, f"--seconds {self.seconds} is not within 0.2 and 3600")
        check(0 <= self.count_down <= 60, f"--count-down {self.count_down} is not within 0 and 60")


@dataclasses.dataclass(frozen=True)
class RecordState:
    """What the recorder is doing."""

    clip: int
    """the number of the clip, from 1"""
    recording: bool
    """whether the frame goes into a clip; otherwise it belongs to the count-down"""
    left: float
    """seconds until the clip begins, or ends"""


class Recorder:
    """Writes clips of the frames that it is given: count-down, clip, count-down, clip.

    Args:
      folder: where they are written, as `LABEL-0001.mp4` and so on; clips that are there are kept.
      label: of the gesture.
      config: how many, how long.

    Attributes:
      written: the clips that are complete.
    """

    def __init__(self, folder: Path, label: str, config: RecordConfig) -> None:
        self.folder, self.label, self.config = folder, label, config
        self.written: list[Path] = []
        self._began: float | None = None  # when the count-down began, in the time of frames
        self._latest = 0.0
        self._files = contextlib.ExitStack()
        self._writer: VideoWriter | None = None
        self._held: np.ndarray | None = None

    @property
    def done(self) -> bool:
        """Whether all clips are complete."""
        return len(self.written) >= self.config.clips

    def step(self, frame: Frame) -> RecordState:
        """Reads the next frame."""
        if self._began is None or not 0 <= frame.time - self._latest <= _LONGEST_GAP:
            self.close()  # the first frame, or the camera was away: this clip begins anew
            self._began = frame.time
        self._latest = frame.time
        elapsed = frame.time - self._began - self.config.count_down
        number = len(self.written) + 1
        if elapsed < 0:
            return RecordState(number, recording=False, left=-elapsed)
        if elapsed < self.config.seconds:
            self._write(frame.image, elapsed)
            return RecordState(number, recording=True, left=self.config.seconds - elapsed)
        self._complete()
        self._began = frame.time
        return RecordState(len(self.written) + 1, recording=False, left=self.config.count_down)

    def close(self) -> None:
        """Gives up the clip that is not complete."""
        files, self._files = self._files, contextlib.ExitStack()
        self._writer = self._held = None
        with contextlib.suppress(_Unfinished), files:
            raise _Unfinished

    def _write(self, image: np.ndarray, elapsed: float) -> None:
        """Writes frames on a grid of times: the last frame at or before each."""
        if self._writer is None:
            size = (image.shape[1], image.shape[0])
            self._writer = self._files.enter_context(VideoWriter(self._next_path(), frame_rate=FRAME_RATE, size=size))
        elif image.shape[1::-1] != self._writer.size:  # a camera that came back with another size
            image = cv2.resize(image, self._writer.size, interpolation=cv2.INTER_AREA)
        due = math.floor(elapsed * FRAME_RATE + 1e-6)
        while self._writer.frames < due:
            self._writer.write(image if self._held is None else self._held)
        self._held = image

    def _complete(self) -> None:
        if self._writer is None or self._held is None:
            return  # a source so slow that no frame fell into the clip
        path, num_frames = self._writer.path, max(1, round(self.config.seconds * FRAME_RATE))
        while self._writer.frames < num_frames:
            self._writer.write(self._held)
        self._files.close()
        self._writer = self._held = None
        self.written.append(path)

    def _next_path(self) -> Path:
        folder = self.folder / self.label
        taken = [int(match[1]) for path in folder.glob("*.mp4") if (match := re.search(r"-(\d+)$", path.stem))]
        return folder / f"{self.label}-{max(taken, default=0) + 1:04d}.mp4"


class _Unfinished(Exception):  # noqa: N818  # no error: it tells a writer that its clip is not wanted
    """Ends a clip that is not complete."""


class _UntilDone:
    """A live source that ends when a recorder is done."""

    def __init__(self, source: LiveSource, recorder: Recorder) -> None:
        self.source, self.recorder = source, recorder

    @property
    def captured(self) -> int:
        return self.source.captured

    @property
    def dropped(self) -> int:
        return self.source.dropped

    def get(self, timeout: float) -> tuple[Frame, float] | None:
        return None if self.recorder.done else self.source.get(timeout)


def record_clips(
    source: str,
    folder: Path,
    label: str,
    config: RecordConfig,
    *,
    headless: bool = False,
    real_time: bool = True,
    patience: float = 30.0,
    on_notice: Callable[[str], None] = lambda sentence: None,
) -> list[Path]:
    """Records clips of one gesture into `FOLDER/LABEL/`, a layout that `prepare` reads.

    Args:
      source: number of a camera, path of a video, address of a stream, or `-`, as for `live`.
      folder: of all gestures.
      label: of this one; `none` for what is no gesture.
      config: how many clips, how long.
      headless: opens no window; the count-down is told by `on_notice` alone.
      real_time: plays a file at its own rate.
      patience: seconds for which a source that was lost is waited for.
      on_notice: is given a sentence as each clip begins and when it is written.

    Returns:
      The clips that were written: fewer than asked for where the window was closed.

    Raises:
      ConfigError: the label is no name for a folder.
      InputError: the source cannot be opened, was lost, or ended before the first clip was complete.
      UserError: no window can be opened, or a clip cannot be written.
    """
    from ostinato.frames.latest import LatestFrame

    check_label(label)
    recorder = Recorder(folder, label, config)
    notices = _Notices(recorder, on_notice)
    with (
        LatestFrame(source, paced=real_time, max_side=_MAX_SIDE, patience=patience, on_notice=on_notice) as frames,
        contextlib.closing(recorder),
        contextlib.ExitStack() as windows,
    ):
        show: Display | None = None
        if not headless:
            from ostinato.frames.window import Window

            show = windows.enter_context(Window(f"ostinato-gesture record {label}", _drawing(label)))
        statistics = live_loop(_UntilDone(frames, recorder), recorder.step, show=show, on_result=notices)
    notices.say_written()
    if not recorder.written and headless:
        raise InputError(
            f"{source} ended after {statistics.frames} frames, before a clip was complete; record shorter ones with "
            "--seconds"
        )
    return recorder.written


def check_label(label: str) -> None:
    """Raises ConfigError where a label is no name for a folder."""
    if not label or label != label.strip() or label.startswith(".") or re.search(r'[\\/:*?"<>|\x00-\x1f]', label):
        raise ConfigError(f"{label!r} is no name for a gesture; use letters, digits, spaces, - and _.")


class _Notices:
    """Tells in words what a recorder does, each thing once."""

    def __init__(self, recorder: Recorder, on_notice: Callable[[str], None]) -> None:
        self.recorder, self.on_notice = recorder, on_notice
        self._said: tuple[int, bool, int] | None = None
        self._written = 0

    def __call__(self, frame: Frame, state: RecordState, statistics: LiveStatistics) -> None:
        self.say_written()
        if self.recorder.done:
            return
        seconds = 0 if state.recording else math.ceil(state.left - 1e-6)
        if (state.clip, state.recording, seconds) != self._said:
            self._said = (state.clip, state.recording, seconds)
            of_all = f"clip {state.clip} of {self.recorder.config.clips}"
            self.on_notice(f"{of_all}: now" if state.recording else f"{of_all} in {seconds} s")

    def say_written(self) -> None:
        """Names the clips that were written since it last did."""
        for path in self.recorder.written[self._written :]:
            self.on_notice(f"wrote {path}")
        self._written = len(self.recorder.written)


def _drawing(label: str) -> Callable[[Frame, RecordState, LiveStatistics], np.ndarray]:
    from ostinato.frames.overlay import Overlay

    overlay = Overlay([label], curve_seconds=0)

    def draw(frame: Frame, state: RecordState, statistics: LiveStatistics) -> np.ndarray:
        what = f"{label} {state.clip}: " + ("NOW" if state.recording else f"in {math.ceil(state.left)}")
        return overlay.draw(frame.image, frame.time, what, 1.0 if state.recording else 0.0)

    return draw
