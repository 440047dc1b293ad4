from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ostinato.serving.errors import ServingError
from ostinato_serve.page.gesture_sessions import GestureSessions


class Stream:
    def __init__(self):
        self.times, self.is_closed = [], False

    def warm_up(self):
        pass

    def step(self, frame, time):
        self.times.append(time)
        return len(self.times)

    def close(self):
        self.is_closed = True


class Recognizer:
    def __init__(self):
        self.streams = []

    def stream(self):
        self.streams.append(Stream())
        return self.streams[-1]


@pytest.fixture
def clock():
    """A clock that stands at `clock.now`."""

    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    return Clock()


FRAME = np.zeros((3, 5, 3), np.uint8)


def test_each_camera_has_a_stream_of_its_own(clock):
    sessions, recognizer = GestureSessions(clock=clock), Recognizer()
    one, other = sessions.begin(recognizer), sessions.begin(recognizer)
    assert [sessions.step(one, FRAME, 0.1), sessions.step(one, FRAME, 0.2), sessions.step(other, FRAME, 0.3)] == [
        1,
        2,
        1,
    ]
    sessions.end(one)
    sessions.end(one)
    assert [stream.is_closed for stream in recognizer.streams] == [True, False]
    with pytest.raises(ServingError, match="start the camera again"):
        sessions.step(one, FRAME, 0.4)


def test_a_stream_that_cannot_begin_takes_no_place(clock):
    class Broken(Recognizer):
        def stream(self):
            stream = super().stream()
            stream.warm_up = lambda: 1 / 0
            return stream

    sessions, recognizer = GestureSessions(max_sessions=1, clock=clock), Broken()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            sessions.begin(recognizer)
    assert [stream.is_closed for stream in recognizer.streams] == [True] * 3


def test_a_frame_that_waited_while_its_stream_ended_does_not_begin_it_again(clock):
    sessions, recognizer = GestureSessions(clock=clock), Recognizer()
    name = sessions.begin(recognizer)
    session = sessions._sessions[name]
    with ThreadPoolExecutor(1) as pool:
        with session.lock:
            waiting = pool.submit(sessions.step, name, FRAME, 0.1)
            del sessions._sessions[name]
        with pytest.raises(ServingError, match="start the camera again"):
            waiting.result()
    assert recognizer.streams[0].times == []


def test_a_camera_that_fell_silent_makes_room_for_another(clock):
    sessions, recognizer = GestureSessions(max_sessions=2, idle_seconds=20, clock=clock), Recognizer()
    sessions.begin(recognizer)
    clock.now = 15
    second = sessions.begin(recognizer)
    with pytest.raises(ServingError, match="2 cameras are on already") as refused:
        sessions.begin(recognizer)
    assert (refused.value.http_status, refused.value.retry_after) == (503, 20)
    clock.now = 21
    sessions.begin(recognizer)
    assert [stream.is_closed for stream in recognizer.streams] == [True, False, False]
    assert sessions.step(second, FRAME, 1.0) == 1
