import numpy as np
import pytest

from ostinato.errors import InputError
from ostinato_video import bench
from ostinato_video.bench import bench_stream


@pytest.fixture
def quick_bench(with_quick_network, monkeypatch):
    """Times the stand-in for the image network, in few rounds."""
    with with_quick_network():
        from ostinato.layers import frame_encoder

        monkeypatch.setattr(bench, "ImageEncoder", frame_encoder.ImageEncoder)
        monkeypatch.setattr(bench, "_ROUNDS", 5)
        yield


def test_a_stream_is_timed_over_as_many_frames_as_asked_for(video_classifier, squares, quick_bench):
    counted = []
    video = squares / "monday_0.mp4"  # has 25
    figures = bench_stream(video_classifier, video, 70, on_frame=lambda: counted.append(1))
    assert len(counted) == 70
    assert figures["ratio"] == pytest.approx(figures["step_ms"] / figures["encoder_ms"])
    assert min(figures["encoder_ms"], figures["first_ms"], figures["last_ms"]) > 0
    assert figures["frames_per_second"] > 1
    assert len(figures["memory_mb"]) == 10
    assert max(figures["memory_mb"]) <= figures["peak_memory_mb"] * 1.01


def test_fewer_frames_than_readings_are_timed_too(video_classifier, squares, quick_bench):
    figures = bench_stream(video_classifier, squares / "monday_0.mp4", 3)
    assert len(figures["memory_mb"]) == 3
    assert np.isfinite(figures["last_ms"])


def test_a_video_that_cannot_be_read_is_named(video_classifier, quick_bench, tmp_path):
    with pytest.raises(InputError, match=r"gone\.mp4 does not exist"):
        bench_stream(video_classifier, tmp_path / "gone.mp4", 3)
