"""Videos as the network is to see them, in groups of frames that it reads at once. No TensorFlow."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ostinato.frames.reading import Frame, VideoReader

# Larger frames are made smaller as they are read, in training and prediction alike: the network sees squares of 224.
LARGEST_SIDE = 640
FRAMES_AT_ONCE = 16
BYTES_AT_ONCE = 2**25  # frames of 4K that a caller gives would take 400 MB


class Chunk(NamedTuple):
    """Some consecutive frames of one size.

    Attributes:
      images: uint8 [F, H, W, 3], RGB.
      times: float64 [F], seconds from the start of the video.
      numbers: int64 [F], of the frames in the file; one that is repeated has its number twice.
    """

    images: np.ndarray
    times: np.ndarray
    numbers: np.ndarray


def open_video(video: str | Path, frame_rate: float) -> VideoReader:
    """Opens a video.

    Raises:
      InputError: it cannot be read.
    """
    return VideoReader(video, frame_rate=frame_rate, max_side=LARGEST_SIDE)


def check_video(video: str | Path) -> None:
    """Opens a video and lets it go: whoever named a wrong one is told before a model is loaded.

    Raises:
      InputError: it cannot be read.
    """
    with VideoReader(video):
        pass


def chunks_of(frames: Iterable[Frame], bytes_at_once: int = BYTES_AT_ONCE) -> Generator[Chunk, None, None]:
    """Yields frames in order, a few at a time, of so many bytes together or one that has more.

    The next ones are read while these are used. Who stops before the end closes the generator before the video, which
    a thread may be reading still.
    """
    chunks = _chunks(frames, bytes_at_once)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, chunks, None)
            yield chunk


def _chunks(frames: Iterable[Frame], bytes_at_once: int) -> Iterator[Chunk]:
    chunk: list[Frame] = []
    for frame in frames:
        if chunk and (chunk[0].image.shape != frame.image.shape or _is_full(chunk, bytes_at_once)):
            yield _stacked(chunk)
            chunk = []
        chunk.append(frame)
    if chunk:
        yield _stacked(chunk)


def _is_full(chunk: list[Frame], bytes_at_once: int) -> bool:
    return len(chunk) >= FRAMES_AT_ONCE or (len(chunk) + 1) * chunk[0].image.nbytes > bytes_at_once


def _stacked(chunk: list[Frame]) -> Chunk:
    return Chunk(
        np.stack([frame.image for frame in chunk]),
        np.array([frame.time for frame in chunk], np.float64),
        np.array([frame.number for frame in chunk], np.int64),
    )
