"""How long a frame takes: in the image network alone, in a step of the stream, and end to end from a file."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ostinato.compiling import compiled
from ostinato.frames.reading import Frame, VideoReader
from ostinato.layers import ImageEncoder
from ostinato.timing import peak_memory_mb, resident_memory_mb, time_in_turns
from ostinato_video.video_classifier import VideoClassifier

_ROUNDS = 40
_MEMORY_READINGS = 10


def bench_stream(
    classifier: VideoClassifier, video: Path, num_frames: int, *, on_frame: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Times a stream of frames.

    Args:
      classifier: the model.
      video: a video, read again and again.
      num_frames: frames that are read end to end.
      on_frame: called after each of them.

    Returns:
      `encoder_ms` and `step_ms`, medians for one frame of the model's size, taken in turns, and their `ratio`;
      `frames_per_second` end to end, decoding and resizing included; `first_ms` and `last_ms`, medians of a step over
      the first and the last tenth of the frames; `memory_mb`, resident memory along the way; `peak_memory_mb`.

    Raises:
      InputError: the video cannot be read.
    """
    figures = _bench_step(classifier)
    stream = classifier.stream()
    steps, memory = [], []
    started = time.perf_counter()
    for number, frame in enumerate(itertools.islice(_again_and_again(video), num_frames)):
        begin = time.perf_counter()
        stream.step(frame.image)
        steps.append(1000 * (time.perf_counter() - begin))
        if number % max(1, num_frames // _MEMORY_READINGS) == 0:
            memory.append(round(resident_memory_mb()))
        on_frame()
    seconds = time.perf_counter() - started
    tenth = max(1, num_frames // 10)
    return figures | {
        "frames_per_second": num_frames / seconds,
        "first_ms": statistics.median(steps[:tenth]),
        "last_ms": statistics.median(steps[-tenth:]),
        "memory_mb": memory,
        "peak_memory_mb": peak_memory_mb(),
    }


def _bench_step(classifier: VideoClassifier) -> dict[str, float]:
    size = classifier.image_size
    encoder = ImageEncoder(classifier.model.metadata["network"], head=False, folded=True)  # random weights take as long
    encode = compiled(lambda frames: encoder(frames))
    frame = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    frames = tf.constant(frame[None], tf.float32)
    stream = classifier.stream()
    times = time_in_turns([lambda: encode(frames).numpy(), lambda: stream.step(frame)], _ROUNDS)
    encoder_ms, step_ms = np.median(times, axis=0)
    return {"encoder_ms": float(encoder_ms), "step_ms": float(step_ms), "ratio": float(step_ms / encoder_ms)}


def _again_and_again(video: Path) -> Iterator[Frame]:
    while True:
        with VideoReader(video) as reader:
            yield from reader
