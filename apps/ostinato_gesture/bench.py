"""How long a frame takes: in the hand landmarker, in the network, and end to end from a file."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.frames.reading import Frame, VideoReader
from ostinato.timing import peak_memory_mb, resident_memory_mb
from ostinato_gesture.gesture_recognizer import GestureRecognizer
from ostinato_gesture.gesture_stream import GestureStream
from ostinato_gesture.landmarks import HandLandmarks
from ostinato_gesture.writing import LARGEST_SIDE

_ROUNDS = 200
_MEMORY_READINGS = 10


def bench_network(recognizer: GestureRecognizer, num_frames: int = _ROUNDS) -> dict[str, Any]:
    """Times the network alone, on frames of chance, one after the other as of one stream.

    Returns:
      `network_ms`, median for one frame, and `network_p95_ms`; `memory_mb`, resident memory along the way;
      `peak_memory_mb`.
    """
    random, times = np.random.default_rng(0), _Times(num_frames)
    with recognizer.stream() as stream:
        stream.warm_up()
        for _ in range(num_frames):
            times.add(_step_ms(stream, random.normal(size=recognizer.facts.frame_shape).astype(np.float32)))
    return {
        "network_ms": statistics.median(times.milliseconds),
        "network_p95_ms": float(np.percentile(times.milliseconds, 95)),
        **times.memory(),
    }


def bench_stream(
    recognizer: GestureRecognizer, video: Path, num_frames: int, *, on_frame: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Times a stream of images from a file.

    Args:
      recognizer: a model of landmarks.
      video: a video, read again and again.
      num_frames: frames that are read end to end.
      on_frame: called after each of them.

    Returns:
      as of `bench_network`, its memory aside; `landmarks_ms`, median for finding the hands in a frame, and
      `hand_share`, of the frames in which there was one; `frames_per_second` end to end, decoding included;
      `decision_p50_ms` and `decision_p95_ms`, from a decoded frame to its result; `first_ms` and `last_ms`, medians of
      that over the first and the last tenth of the frames; `memory_mb`, resident memory along the way;
      `peak_memory_mb`.

    Raises:
      InputError: the video cannot be read.
    """
    figures = bench_network(recognizer) | _bench_landmarks(recognizer, video)
    times = _Times(num_frames)
    with recognizer.stream() as stream:
        stream.warm_up()
        started = time.perf_counter()
        for frame in itertools.islice(_again_and_again(video), num_frames):
            times.add(_step_ms(stream, frame.image, frame.time))
            on_frame()
        seconds = time.perf_counter() - started
    tenth = max(1, num_frames // 10)
    return figures | {
        "frames_per_second": num_frames / seconds,
        "decision_p50_ms": statistics.median(times.milliseconds),
        "decision_p95_ms": float(np.percentile(times.milliseconds, 95)),
        "first_ms": statistics.median(times.milliseconds[:tenth]),
        "last_ms": statistics.median(times.milliseconds[-tenth:]),
        **times.memory(),
    }


class _Times:
    """How long each of so many frames took, with a reading of the memory every tenth of them."""

    def __init__(self, num_frames: int):
        self.milliseconds: list[float] = []
        self._memory_mb: list[int] = []
        self._every = max(1, num_frames // _MEMORY_READINGS)

    def add(self, milliseconds: float) -> None:
        if len(self.milliseconds) % self._every == 0:
            self._memory_mb.append(round(resident_memory_mb()))
        self.milliseconds.append(milliseconds)

    def memory(self) -> dict[str, Any]:
        return {"memory_mb": self._memory_mb, "peak_memory_mb": peak_memory_mb()}


def _bench_landmarks(recognizer: GestureRecognizer, video: Path) -> dict[str, Any]:
    times, found = [], []
    with HandLandmarks(recognizer.facts.num_hands) as hand_landmarks:
        for frame in itertools.islice(_again_and_again(video), _ROUNDS):
            begin = time.perf_counter()
            hands = hand_landmarks.detect(frame.image, frame.time)
            times.append(1000 * (time.perf_counter() - begin))
            found.append(hands.presence.any())
    return {"landmarks_ms": statistics.median(times), "hand_share": float(np.mean(found))}


def _step_ms(stream: GestureStream, frame: np.ndarray, at: float | None = None) -> float:
    begin = time.perf_counter()
    stream.step(frame, at)
    return 1000 * (time.perf_counter() - begin)


def _again_and_again(video: Path) -> Iterator[Frame]:
    """Yields the frames of a video over and over, with times that go on."""
    before = 0.0
    while True:
        latest = 0.0
        with VideoReader(video, max_side=LARGEST_SIDE) as reader:
            for frame in reader:
                latest = frame.time
                yield Frame(frame.image, before + frame.time, frame.number)
            before += latest + 1 / reader.frame_rate
