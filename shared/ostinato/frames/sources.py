"""What is live: cameras, network streams, and JPEG images on standard input; each gives the pixels of a next frame."""

import io
import os
import re
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from PIL import Image

from ostinato.errors import InputError
from ostinato.frames.jpeg_stream import JpegSplitter
from ostinato.frames.pixels import fitted_size, upright_pixels

_NETWORK_TIMEOUT = 5.0  # seconds without a byte, after which a stream counts as lost
# TCP, for over UDP frames come torn; no buffer, for what is newest is wanted.
_STREAM_OPTIONS = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay"}
_CHUNK_BYTES = 2**16


class SourceLostError(Exception):
    """A camera or stream gave frames and gives none any more; it may come back."""


class LiveCapture(Protocol):
    """An open source. To open it raises `InputError` where it cannot be reached, or sends no frame."""

    def read(self) -> np.ndarray | None:
        """Returns the next frame, uint8 [H, W, 3] RGB; None at the end of what has an end.

        Raises:
          SourceLostError: it broke off.
        """

    def close(self) -> None: ...


def source_name(source: str | int | Path) -> str:
    """Returns what messages call a source: never the password in its address."""
    if is_camera(source):
        return f"camera {source}"
    return "standard input" if is_standard_input(source) else re.sub(r"(?<=://)[^/@]*@", "", str(source))


def is_camera(source: str | int | Path) -> bool:
    """Returns whether a source is the number of a camera, or a camera's device."""
    return isinstance(source, int) or re.fullmatch(r"\d+|/dev/video\d+", str(source)) is not None


def is_standard_input(source: str | int | Path) -> bool:
    """Returns whether a source is standard input: `-`, or the path that command lines put in its place."""
    return str(source) in ("-", "/dev/stdin")


def is_file(source: str | int | Path) -> bool:
    """Returns whether a source is the path of a video, rather than something live."""
    return not (is_camera(source) or is_standard_input(source) or "://" in str(source))


def open_live(source: str | int | Path, max_side: int | None = None) -> LiveCapture:
    """Opens a camera (its number or device), the address of a stream, or `-` for standard input.

    Raises:
      InputError: it cannot be reached, or sends no frame.
    """
    if is_camera(source):
        from ostinato.frames.camera import Camera  # only now: what has no screen may lack libraries that OpenCV needs

        return Camera(source, max_side)
    if is_standard_input(source):
        return JpegPipe(sys.stdin.fileno(), max_side)
    return NetworkStream(str(source), max_side)


class NetworkStream:
    """A stream at an address (rtsp, http, ...)."""

    def __init__(self, address: str, max_side: int | None = None) -> None:
        self._max_side = max_side
        self._first: np.ndarray | None = None
        name = source_name(address)
        try:
            self._container = av.open(address, options=_STREAM_OPTIONS, timeout=_NETWORK_TIMEOUT)
        except av.InvalidDataError:
            raise InputError(f"{name} answers with something that is no video; check the address.") from None
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(f"{name} cannot be reached ({reason}); check the address and the camera.") from None
        try:
            if not self._container.streams.video:
                raise InputError(f"{name} holds no video; check the address.")
            self._stream = self._container.streams.video[0]
            self._stream.thread_type = "SLICE"  # threads for whole frames would hold some back
            self._ends = bool(self._container.duration)
            self._pictures = self._decoded()
            try:
                self._first = self.read()
            except SourceLostError as loss:
                raise InputError(f"{name} sends no frames ({loss}); check the camera.") from None
            if self._first is None:
                raise InputError(f"{name} sends no frames; check the camera.")
        except BaseException:
            self._container.close()
            raise

    def read(self) -> np.ndarray | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            picture = next(self._pictures, None)
        except (av.FFmpegError, OSError) as error:
            raise SourceLostError(error.strerror or str(error)) from None
        if picture is not None:
            return upright_pixels(picture, self._max_side)
        if self._ends:
            return None
        raise SourceLostError("it ended")

    def close(self) -> None:
        self._container.close()

    def _decoded(self) -> Iterator[av.VideoFrame]:
        for packet in self._container.demux(self._stream):
            try:
                yield from self._stream.decode(packet)
            except av.InvalidDataError:
                continue  # a torn frame; the next ones come


class JpegPipe:
    """JPEG images one after another, as `ffmpeg -f mjpeg -` writes them.

    Args:
      descriptor: of the open file. It is read without Python's buffers, whose lock a waiting thread would hold at exit.
    """

    def __init__(self, descriptor: int, max_side: int | None = None) -> None:
        self._descriptor = descriptor
        self._max_side = max_side
        self._splitter = JpegSplitter()
        self._ready: deque[bytes] = deque()
        self._came = False

    def read(self) -> np.ndarray | None:
        """Returns the next image that can be decoded, None at the end.

        Raises:
          InputError: the end came before any image.
        """
        while True:
            while self._ready:
                image = self._decode(self._ready.popleft())
                if image is not None:
                    self._came = True
                    return image
            data = os.read(self._descriptor, _CHUNK_BYTES)
            if not data:
                break
            self._ready.extend(self._splitter.add(data))
        if not self._came:
            raise InputError(
                "Standard input held no JPEG image; pipe into it what `ffmpeg -i VIDEO -f mjpeg -` writes."
            )
        return None

    def close(self) -> None:
        """Leaves the descriptor to whoever opened it."""

    def _decode(self, data: bytes) -> np.ndarray | None:
        try:
            with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
                size = fitted_size(*image.size, self._max_side)
                image.draft("RGB", size)
                pixels = image.convert("RGB")
                return np.asarray(pixels if pixels.size == size else pixels.resize(size, Image.Resampling.BOX))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return None
