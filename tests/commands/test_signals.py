import gc
import signal
import sys
import threading
import time

import pytest

from ostinato.commands.signals import Terminated, signals_as_exceptions


@signals_as_exceptions()
def do(what):
    what()
    for _ in range(500):
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_becomes_an_exception(number, error):
    with pytest.raises(KeyboardInterrupt) as raised:
        do(lambda: signal.raise_signal(number))
    assert raised.type is error


@pytest.mark.parametrize(("number", "error"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_that_meets_the_garbage_collector_is_not_lost(number, error):
    """Exceptions cannot leave its callbacks, and libraries register some."""
    met = []

    def meet(phase, info):
        if not met:
            met.append(phase)
            signal.raise_signal(number)

    gc.callbacks.append(meet)
    try:
        with pytest.raises(KeyboardInterrupt) as raised:
            do(gc.collect)
    finally:
        gc.callbacks.remove(meet)
    assert met == ["start"]
    assert raised.type is error


def test_what_else_fails_where_nobody_can_catch_it_is_reported_as_ever(monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: reported.append(lost.exc_type))

    class Faulty:
        def __del__(self):
            raise RuntimeError

    with signals_as_exceptions():
        Faulty()
    assert reported == [RuntimeError]


def test_handlers_are_put_back_and_other_threads_are_let_alone():
    before = signal.getsignal(signal.SIGTERM), sys.unraisablehook
    with signals_as_exceptions():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert (signal.getsignal(signal.SIGTERM), sys.unraisablehook) == before

    def elsewhere():
        with signals_as_exceptions():
            seen.append(signal.getsignal(signal.SIGTERM) is before[0])

    seen = []
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [True]
