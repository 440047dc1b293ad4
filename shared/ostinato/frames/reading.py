"""Video files, frame by frame.

PyAV reads them rather than OpenCV. The wheels of OpenCV 4.13 to 5.0 return black or stale frames as good ones where a
clip is tagged BT.2020 with constant luminance, need 0.14 s of processor time a frame for other BT.2020 clips, as phones
record them, and cannot say whether a file ended or broke. For all other clips both give the same frames and times.
"""

import math
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from ostinato.errors import ConfigError, InputError
from ostinato.frames.decoding import DecodedFrame, Decoder
from ostinato.frames.pixels import fitted_size, quarter_turns, upright_pixels
from ostinato.frames.sampling import STAMP_TOLERANCE, sample_and_hold

# A text file is a film of letters to libav.
_NO_VIDEO_FORMATS = frozenset({"tty", "bin", "adf", "idf", "xbin"})


@dataclass(frozen=True)
class Frame:
    """One picture of a video or camera.

    Attributes:
      image: uint8 [H, W, 3], RGB, upright. Where a frame is repeated, both share it: draw on a copy.
      time: seconds from the start of the video.
      number: of the frame in the file, or among those captured; from 0.
    """

    image: np.ndarray
    time: float
    number: int


class VideoReader:
    """Reads a video file: an iterator of `Frame`, in memory that does not grow, to be used in a `with` statement.

    Frames keep the times that the file gives them, also where its rate varies. They are turned as the camera was held.

    Args:
      path: of the file.
      frame_rate: frames are chosen by their time stamps, for each time k / frame_rate the last one at or before it, so
        that a slower video repeats frames and a faster one drops some; with None every frame of the file comes.
      max_side: larger frames are made smaller, so that their longer side has so many pixels.

    Attributes:
      path: of the file.
      frame_rate: of the file, frames/s, the mean where it varies.
      duration: seconds; None where the file does not say.
      size: (width, height) of the frames, upright.

    Raises:
      InputError: the file is missing, a folder, empty, holds no video, or no frame of it can be decoded.
      ConfigError: a frame rate or side that is not positive.
    """

    def __init__(self, path: str | Path, *, frame_rate: float | None = None, max_side: int | None = None) -> None:
        self.path = Path(path)
        if frame_rate is not None and not (frame_rate > 0 and math.isfinite(frame_rate)):
            raise ConfigError(
                f"A frame rate of {frame_rate} is not possible; give a positive number of frames a second."
            )
        if max_side is not None and max_side < 1:
            raise ConfigError(f"Frames of {max_side} pixels are not possible; give a positive number.")
        self._wanted_rate = frame_rate
        self._max_side = max_side
        self._container = _open(self.path)
        try:
            self._decoder = Decoder(self._container, _video_stream(self._container, self.path))
            decoded = self._decoder.frames()
            first = next(decoded, None)
            if first is None:
                raise InputError(f"{path} holds no frame that can be decoded; get it again from where it came.")
        except BaseException:
            self._container.close()
            raise
        width, height = fitted_size(first.picture.width, first.picture.height, max_side)
        self.size = (height, width) if quarter_turns(first.picture) % 2 else (width, height)
        self.frame_rate = self._decoder.frame_rate
        self.duration = self._decoder.duration
        self._frames = self._chosen(chain([first], decoded))

    @property
    def damage(self) -> str | None:
        """Returns one sentence on frames that were missing among those read so far, None if there were none."""
        spans = self._decoder.damaged_spans
        if not spans:
            return None
        places = " and ".join(f"from {a:.2f} s " + ("on" if b is None else f"to {b:.2f} s") for a, b in spans)
        length = "" if self.duration is None else f" of {self.duration:.2f} s"
        return f"{self.path} is damaged or cut short: {places}{length} nothing can be decoded; the rest was read."

    def seek(self, seconds: float) -> None:
        """Goes to a time: the next frame is the one that is seen then.

        Frame numbers are counted from the mean rate afterwards, which is exact where the rate does not vary.

        Raises:
          InputError: the time is outside the video, or the file cannot be sought in.
        """
        if not 0 <= seconds < (math.inf if self.duration is None else self.duration):
            until = "" if self.duration is None else f" and {self.duration:.2f}"
            raise InputError(f"{self.path} has no frame at {seconds:g} s; give a time between 0{until} s.")
        try:
            self._decoder.seek(seconds)
            decoded = self._decoder.frames()
            first = next(decoded, None)
            if (
                first is not None and first.time > seconds + STAMP_TOLERANCE
            ):  # an index that is none: read from the start
                self._decoder.seek(0.0)
                decoded = self._decoder.frames()
                first = next(decoded, None)
        except av.FFmpegError as error:
            raise InputError(f"{self.path} cannot be sought in ({error.strerror}); read it from its start.") from None
        frames = iter(()) if first is None else _from(seconds, chain([first], decoded))
        self._frames = self._chosen(frames, seconds)

    def close(self) -> None:
        self._container.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        return next(self._frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _chosen(self, decoded: Iterable[DecodedFrame], start: float = 0.0) -> Iterator[Frame]:
        if self._wanted_rate is None:
            for frame in decoded:
                yield Frame(self._pixels(frame), frame.time, frame.number)
            return
        shown, image = -1, None
        for time, frame in sample_and_hold(decoded, self._wanted_rate, start):
            if image is None or frame.number != shown:
                shown, image = frame.number, self._pixels(frame)  # only now: most frames may be dropped
            yield Frame(image, time, shown)

    def _pixels(self, frame: DecodedFrame) -> np.ndarray:
        return upright_pixels(frame.picture, self._max_side)


def _from(seconds: float, frames: Iterator[DecodedFrame]) -> Iterator[DecodedFrame]:
    """From the last frame at or before a time."""
    held = None
    for frame in frames:
        if held is not None and frame.time > seconds + STAMP_TOLERANCE:
            yield from (held, frame)
            yield from frames
            return
        held = frame
    if held is not None:
        yield held


def _open(path: Path) -> InputContainer:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path} is a folder; name a video in it.")
        if stat.S_ISREG(status.st_mode) and status.st_size == 0:
            raise InputError(f"{path} is empty (0 bytes); give a video.")
        # The protocol is named, or a name with a colon in it would be taken for one.
        return av.open(f"file:{path}")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path.") from None
    except av.InvalidDataError:
        raise InputError(_not_a_video(path)) from None
    except (av.FFmpegError, OSError, ValueError) as error:  # ValueError: a null character in the path
        raise InputError(f"{path} cannot be opened: {getattr(error, 'strerror', None) or error}.") from None


def _not_a_video(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        reason = "is an MP4 file that was cut off before its index, without which no frame can be found"
        return f"{path} {reason}; get it again from where it came."
    return f"{path} is not a video that can be read; give a file such as .mp4, .mov, .avi, .mkv or .webm."


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first video in a container; pictures of record sleeves in music are none."""
    if not container.streams:  # cut off before anything is said of what it holds
        raise InputError(_not_a_video(path))
    if container.format.name not in _NO_VIDEO_FORMATS:
        for stream in container.streams.video:
            if not stream.disposition & Disposition.attached_pic:
                stream.thread_type = "AUTO"
                return stream
    raise InputError(f"{path} holds no video (sound or text only); give a video.")
