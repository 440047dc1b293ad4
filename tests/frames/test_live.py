import json
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from ostinato.frames.live import live_loop, live_record
from ostinato.frames.live_statistics import LiveStatistics


class Clock:
    """A clock that goes only when it is told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Camera:
    """Gives a frame every 40 ms of the clock, the newest only; `silent` frames never come."""

    def __init__(self, clock, frames, silent=()):
        self.clock, self.frames, self.silent = clock, frames, set(silent)
        self.start, self.captured, self.dropped = clock.now, 0, 0

    def get(self, timeout):
        newest = int((self.clock.now - self.start) / 0.04 + 1e-6)
        if newest < self.captured:  # that one was taken already
            self.clock.now = self.start + 0.04 * self.captured
            newest = self.captured
        if newest >= self.frames:
            return None
        self.dropped += newest - self.captured
        self.captured = newest + 1
        if newest in self.silent:
            self.clock.now += timeout
            raise TimeoutError
        image = np.zeros((5, 7, 3), np.uint8)
        return SimpleNamespace(image=image, time=0.04 * newest, number=newest), self.start + 0.04 * newest


class Screen:
    """Is ended by the user when it was asked so many times."""

    def __init__(self, patience):
        self.patience, self.asked, self.shown = patience, 0, []

    def show(self, frame, result, statistics):
        self.shown.append((frame.number, result, statistics.frames))

    def ended(self):
        self.asked += 1
        return self.asked > self.patience


def work(clock, seconds):
    def process(frame):
        clock.now += seconds
        return f"result of {frame.number}"

    return process


def test_each_frame_gives_its_result_and_the_loop_ends_with_the_source():
    clock, seen = Clock(), []
    statistics = live_loop(
        Camera(clock, 7),
        work(clock, 0.01),
        on_result=lambda frame, result, statistics: seen.append((frame.number, result, statistics.frames)),
        clock=clock,
    )
    assert seen == [(number, f"result of {number}", number + 1) for number in range(7)]
    assert (statistics.frames, statistics.dropped) == (7, 0)
    assert statistics.latency_p50_ms == pytest.approx(10)
    assert statistics.source_rate == pytest.approx(25)


def test_a_slow_network_gets_the_newest_frames_and_the_others_are_counted():
    clock, numbers = Clock(), []
    statistics = live_loop(
        Camera(clock, 100),
        work(clock, 0.1),
        on_result=lambda frame, result, statistics: numbers.append(frame.number),
        clock=clock,
    )
    assert numbers[:5] == [0, 2, 5, 7, 10]
    assert statistics.dropped > 50
    assert statistics.model_rate == pytest.approx(10, rel=0.01)
    assert statistics.source_rate == pytest.approx(25, rel=0.05)


def test_latency_ends_when_the_result_is_known_not_when_it_was_shown():
    clock = Clock()

    def dawdle(frame, result, statistics):
        clock.now += 0.025

    statistics = live_loop(Camera(clock, 9), work(clock, 0.01), on_result=dawdle, clock=clock)
    assert statistics.latency_p95_ms == pytest.approx(10)


def test_the_user_ends_the_window():
    clock, screen = Clock(), Screen(patience=3)
    statistics = live_loop(Camera(clock, 1000), work(clock, 0.01), show=screen, clock=clock)
    assert screen.shown == [(number, f"result of {number}", number + 1) for number in range(3)]
    assert statistics.frames == 3


def test_a_window_can_be_ended_while_the_camera_is_silent_and_goes_on_when_it_is_back():
    clock, screen = Clock(), Screen(patience=50)
    live_loop(Camera(clock, 10**6, silent=range(2, 10**6)), work(clock, 0.01), show=screen, clock=clock)
    assert [number for number, _, _ in screen.shown] == [0, 1]
    assert screen.asked == 51
    clock = Clock()
    assert live_loop(Camera(clock, 30, silent=range(5, 20)), work(clock, 0.01), clock=clock).frames == 15


def test_an_error_of_the_network_is_not_swallowed():
    def fail(frame):
        raise RuntimeError("no hand")

    with pytest.raises(RuntimeError, match="no hand"):
        live_loop(Camera(Clock(), 3), fail)


def test_memory_does_not_grow_with_the_number_of_frames():
    clock, sizes = Clock(), {}

    def measure(frame, result, statistics):
        if frame.number in (4_000, 19_000):
            sizes[frame.number] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        live_loop(Camera(clock, 20_000), work(clock, 0.01), on_result=measure, clock=clock)
    finally:
        tracemalloc.stop()
    assert sizes[19_000] - sizes[4_000] < 20_000  # a byte or so a frame would be 15,000


def test_a_record_is_one_line_of_json_with_times_in_milliseconds():
    statistics = LiveStatistics()
    for number in range(2):
        statistics.add(number / 10, number / 10 + 0.0213, captured=3 * number, dropped=2)
    frame = SimpleNamespace(time=12.34567, number=309)
    line = live_record(frame, {"label": "größer\n", "confidence": 0.75}, statistics)
    assert "\n" not in line
    assert "größer" in line
    assert json.loads(line) == {
        "time": 12.346,
        "frame": 309,
        "label": "größer\n",
        "confidence": 0.75,
        "latency_ms": 21.3,
        "latency_p50_ms": 21.3,
        "latency_p95_ms": 21.3,
        "model_rate": 10.0,
        "source_rate": 30.0,
        "dropped": 2,
    }
