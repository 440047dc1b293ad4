"""Cameras whose frames come one by one: a stream for each, forgotten when it falls silent."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ostinato.serving.errors import ServingError

if TYPE_CHECKING:
    import numpy as np

    from ostinato_gesture import GestureRecognizer, StepResult
    from ostinato_gesture.gesture_stream import GestureStream


@dataclass
class _Session:
    stream: GestureStream
    used_at: float
    lock: threading.Lock = field(default_factory=threading.Lock)


class GestureSessions:
    """The streams of browsers that have their cameras on.

    Args:
      max_sessions: at a time; each follows hands by a model of its own.
      idle_seconds: after which a stream that nobody goes on with is forgotten.
      clock: seconds.
    """

    def __init__(
        self, max_sessions: int = 4, idle_seconds: float = 20.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_sessions, self.idle_seconds, self._clock = max_sessions, idle_seconds, clock
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, recognizer: GestureRecognizer) -> str:
        """Returns a name for a new stream, ready for its first frame.

        Raises:
          ServingError: UNAVAILABLE, too many cameras are on.
        """
        self.forget_idle()
        with self._lock:
            if len(self._sessions) >= self.max_sessions:
                raise ServingError(
                    "UNAVAILABLE",
                    f"{self.max_sessions} cameras are on already; try again when one of them is off",
                    retry_after=self.idle_seconds,
                )
            name, session = secrets.token_urlsafe(16), _Session(recognizer.stream(), self._clock())
            self._sessions[name] = session
        is_ready = False
        try:
            with session.lock:
                session.stream.warm_up()
                session.used_at = self._clock()
            is_ready = True
        finally:
            if not is_ready:
                self.end(name)
        return name

    def step(self, name: str, frame: np.ndarray, seconds: float) -> StepResult:
        """Gives a stream its next frame, uint8 [H, W, 3], and the time of it.

        Raises:
          ServingError: NOT_FOUND, the stream was ended or forgotten.
          InputError: the frame is none.
        """
        session = self._sessions.get(name)
        if session is None:
            raise _ended()
        with session.lock:
            if name not in self._sessions:  # it ended while this frame waited
                raise _ended()
            session.used_at = self._clock()
            return session.stream.step(frame, seconds)

    def end(self, name: str) -> None:
        """Ends a stream, if it has not ended already."""
        with self._lock:
            session = self._sessions.pop(name, None)
        if session is not None:
            with session.lock:
                session.stream.close()

    def forget_idle(self) -> None:
        """Ends the streams of browsers that have gone without a word."""
        now = self._clock()
        for name, session in list(self._sessions.items()):
            if now - session.used_at > self.idle_seconds:
                self.end(name)


def _ended() -> ServingError:
    return ServingError("NOT_FOUND", "this stream has ended; start the camera again")
