import numpy as np

from ostinato_gesture.bench import bench_network, bench_stream


def test_the_network_alone_is_timed_without_a_video(rule_recognizer):
    figures = bench_network(rule_recognizer(), 50)
    assert 0 < figures["network_ms"] <= figures["network_p95_ms"] < 1000
    assert len(figures["memory_mb"]) == 10  # along the way
    assert 0 < max(figures["memory_mb"]) <= figures["peak_memory_mb"] + 1


def test_a_stream_is_timed_end_to_end_over_as_many_frames_as_asked_for(
    rule_recognizer, painted_hands, painted_video, monkeypatch
):
    monkeypatch.setattr("ostinato_gesture.bench._ROUNDS", 5)
    monkeypatch.setattr("ostinato_gesture.bench.HandLandmarks", painted_hands)
    counted = []
    recognizer = rule_recognizer("landmarks", (2, 21, 3))
    figures = bench_stream(recognizer, painted_video, 150, on_frame=lambda: counted.append(1))  # the video has 120
    assert len(counted) == 150
    assert 0 < figures["decision_p50_ms"] <= figures["decision_p95_ms"]
    assert {"landmarks_ms", "network_ms", "first_ms", "last_ms", "peak_memory_mb"} <= figures.keys()
    assert figures["frames_per_second"] > 1
    assert figures["hand_share"] == 0.0  # its first five frames are grey
    assert np.ptp(figures["memory_mb"]) < 100


def test_times_go_on_where_the_video_begins_again(painted_video):
    from itertools import islice

    from ostinato_gesture.bench import _again_and_again

    times = [frame.time for frame in islice(_again_and_again(painted_video), 250)]
    np.testing.assert_allclose(np.diff(times), 0.05, atol=1e-3)
