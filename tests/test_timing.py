import time

import numpy as np

from ostinato.timing import peak_memory_mb, resident_memory_mb, time_in_turns


def test_calls_are_timed_in_turns_after_two_rounds():
    called = []

    def slow():
        called.append("slow")
        time.sleep(0.005)

    times = time_in_turns([slow, lambda: called.append("quick")], repeats=3)
    assert called == ["slow", "quick"] * 5
    assert times.shape == (3, 2)
    assert np.all(times[:, 0] >= 5)
    assert np.all(times[:, 1] < times[:, 0])


def test_the_memory_of_this_process_is_in_megabytes():
    assert 50 < peak_memory_mb() < 100_000


def test_resident_memory_is_what_is_held_now():
    before = resident_memory_mb()
    held = np.ones(5_000_000)  # 40 MB
    assert 30 < resident_memory_mb() - before < 100
    assert resident_memory_mb() < peak_memory_mb() + 1
    del held
