"""Videos that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from ostinato.errors import ConfigError, UserError

# MPEG-4 part 2: the codec that every build of OpenCV can write, as quickly as frames come, and every player can read.
_CODEC = "mp4v"


class VideoWriter:
    """Writes an MP4 file beside its place and renames it when it is complete.

        with VideoWriter("out.mp4", frame_rate=25, size=(640, 360)) as video:
            for image in images:
                video.write(image)

    After an error, or without a frame, what was there before is still there.

    Args:
      path: ends in `.mp4`; missing folders are made. It may be the video that is being read.
      frame_rate: frames/s.
      size: width and height in pixels. MPEG-4 has even sizes only: of an odd one, the last column or row is lost.

    Attributes:
      frames: number of frames written so far.

    Raises:
      ConfigError: a name that does not end in `.mp4`, or what no video can be, such as a frame rate of 0.
      UserError: the file cannot be written or completed.
      ValueError: an image of another size.
    """

    def __init__(self, path: str | Path, *, frame_rate: float, size: tuple[int, int]):
        self.path, self.frame_rate, self.size, self.frames = Path(path), frame_rate, size, 0
        if self.path.suffix.lower() != ".mp4":
            raise ConfigError(f"{path} is no name for an MP4 video; let it end in .mp4.")
        if self.path.is_dir():
            raise ConfigError(f"{path} is a folder; name the video to write.")
        if not 0 < frame_rate <= 1000 or min(size) < 2:
            raise ConfigError(
                f"No video has {frame_rate} frames/s of {size[0]} x {size[1]} pixels; give a frame rate from 0 to 1000 "
                "and a size of 2 x 2 or more."
            )
        self._partial = self.path.with_name(f".{self.path.stem}.{os.getpid()}.partial.mp4")
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Said here in the words of the system, since OpenCV tells no reason.
        self._partial.touch()
        codec = cv2.VideoWriter.fourcc(*_CODEC)
        self._writer = cv2.VideoWriter(str(self._partial), cv2.CAP_FFMPEG, codec, self.frame_rate, self.size)
        if not self._writer.isOpened():
            self._discard()
            raise UserError(f"OpenCV cannot write {self.path}; install opencv-python, whose wheels hold FFmpeg.")
        return self

    def write(self, image: np.ndarray) -> None:
        """Adds a frame, uint8 [height, width, 3], RGB."""
        if self._writer is None:
            raise ValueError("A VideoWriter is open within its `with` block only.")
        expected = (self.size[1], self.size[0], 3)
        if image.shape != expected or image.dtype != np.uint8:  # OpenCV would leave it out without a word
            raise ValueError(f"The video has frames uint8 {list(expected)}, not {image.dtype} {list(image.shape)}.")
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self.frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()
        self._writer = None
        try:
            if kind is None and self.frames:
                self._publish()
        finally:
            self._discard()

    def _publish(self) -> None:
        # A full disk goes unnoticed by OpenCV; the index, which is written last, is missing then.
        written = cv2.VideoCapture(str(self._partial), cv2.CAP_FFMPEG)
        complete = written.isOpened() and written.get(cv2.CAP_PROP_FRAME_COUNT) >= self.frames
        written.release()
        if not complete:
            raise UserError(f"{self.path} could not be completed; look whether its disk is full.")
        self._partial.replace(self.path)

    def _discard(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._partial.unlink(missing_ok=True)
