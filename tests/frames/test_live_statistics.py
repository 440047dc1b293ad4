import numpy as np
import pytest

from ostinato.frames.live_statistics import LiveStatistics


def test_without_frames_everything_is_zero():
    statistics = LiveStatistics()
    assert set(statistics.fields().values()) == {0}
    assert len(statistics.lines()) == 3


def test_latency_is_from_capture_to_result_in_milliseconds():
    statistics = LiveStatistics()
    latencies = np.random.default_rng(0).uniform(0.01, 0.2, 101)
    for number, latency in enumerate(latencies):
        statistics.add(number, number + latency, captured=number + 1, dropped=0)
    assert statistics.latency_ms == pytest.approx(1000 * latencies[-1])
    assert statistics.latency_p50_ms == pytest.approx(1000 * np.percentile(latencies, 50))
    assert statistics.latency_p95_ms == pytest.approx(1000 * np.percentile(latencies, 95))


def test_rates_are_of_results_and_of_all_frames_that_the_source_gave():
    statistics = LiveStatistics()
    for number in range(21):  # ten results a second, of a camera of thirty frames a second
        statistics.add(number / 10 - 0.05, number / 10, captured=1 + 3 * number, dropped=2 * number)
    assert statistics.model_rate == pytest.approx(10)
    assert statistics.source_rate == pytest.approx(30)
    assert statistics.seconds == pytest.approx(2)
    assert (statistics.frames, statistics.captured, statistics.dropped) == (21, 61, 40)


def test_what_was_long_ago_counts_no_more():
    statistics = LiveStatistics(window=5)
    statistics.add(0.0, 9.0, captured=1, dropped=0)  # the first frame waits for the network to be built
    for number in range(10, 15):
        statistics.add(number, number + 0.02, captured=number, dropped=0)
    assert statistics.latency_p95_ms == pytest.approx(20)
    assert statistics.model_rate == pytest.approx(1)
    assert statistics.frames == 6


def test_memory_is_the_same_after_any_number_of_frames():
    statistics = LiveStatistics()
    for number in range(20_000):
        statistics.add(number, number + 0.02, captured=number, dropped=0)
    assert len(statistics._latencies) == len(statistics._counts) == 512


def test_results_at_one_moment_have_no_rate():
    statistics = LiveStatistics()
    for number in range(3):
        statistics.add(0.0, 0.0, captured=number, dropped=0)
    assert statistics.model_rate == statistics.source_rate == 0.0
