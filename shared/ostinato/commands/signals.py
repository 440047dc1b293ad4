"""SIGTERM as an exception, and no signal that is lost on the way."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_SOON = 0.05  # seconds


class Terminated(KeyboardInterrupt):
    """SIGTERM: what is cleaned up after an interrupt is cleaned up after it too."""


@contextlib.contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Within the context SIGTERM raises `Terminated`, as SIGINT raises KeyboardInterrupt.

    Python runs handlers wherever the main thread happens to be. Where that is a finaliser or a callback of the garbage
    collector, whose exceptions nobody can catch, it would report the exception and forget the signal; then the signal
    is sent again. Nothing is changed in other threads than the main one, where handlers cannot be set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    report = sys.unraisablehook

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    def send_again(lost: Any) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            report(lost)
            return
        number = signal.SIGTERM if issubclass(lost.exc_type, Terminated) else signal.SIGINT
        # Not from here, which is still within what cannot be left by an exception.
        threading.Timer(_SOON, signal.pthread_kill, (threading.main_thread().ident, number)).start()

    before = signal.signal(signal.SIGTERM, terminate)
    sys.unraisablehook = send_again
    try:
        yield
    finally:
        sys.unraisablehook = report
        signal.signal(signal.SIGTERM, before)
