import numpy as np
import pytest

from ostinato.errors import InputError
from ostinato.frames.reading import VideoReader
from ostinato.frames.timeline import Segment
from ostinato_video.overlaying import write_overlay
from ostinato_video.results import VideoResult


@pytest.fixture
def video(tmp_path, paint_video):
    path = tmp_path / "in.mp4"
    paint_video(path, [None] * 25)
    return path


def result_of(frames=10, rate=5.0):
    """Of a model that reads 5 frames/s of a video with 12.5."""
    scores = np.tile(np.array([[0.9, 0.1]], np.float32), (frames, 1))
    return VideoResult(
        labels=("background", "red"),
        label="background",
        confidence=0.9,
        scores=scores[0],
        segments=(Segment(1.0, 2.0, "red", 0.6),),
        times=np.arange(frames) / rate,
        frame_numbers=np.arange(frames),
        frame_scores=scores,
        frame_rate=rate,
        background="background",
    )


def frames_of(path):
    with VideoReader(path) as reader:
        return reader.frame_rate, reader.size, [frame.image.astype(int) for frame in reader]


def test_the_video_keeps_its_rate_size_and_length_and_is_drawn_on(video, tmp_path):
    seconds = []
    write_overlay(tmp_path / "new" / "out.mp4", video, result_of(), on_seconds=seconds.append)
    rate, size, before = frames_of(video)
    new_rate, new_size, after = frames_of(tmp_path / "new" / "out.mp4")
    assert (new_rate, new_size, len(after)) == (pytest.approx(rate), size, len(before))
    assert all(np.abs(new - old).max() > 60 for new, old in zip(after, before, strict=True))
    np.testing.assert_allclose(seconds, np.arange(25) / 12.5)


def test_what_is_drawn_changes_where_a_segment_begins(video, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "ostinato.frames.overlay.Overlay.draw",
        lambda self, image, time, label, confidence, lines: drawn.append((label, lines)) or image,
    )
    write_overlay(tmp_path / "out.mp4", video, result_of())
    labels = [label for label, _ in drawn]
    assert labels == ["background"] * 13 + ["red"] * 12  # frame 13 is the first after 1.0 s
    assert drawn[0][1] == ["clip: background 90 %"]


def test_the_video_that_is_drawn_on_may_be_the_one_that_is_written(video):
    write_overlay(video, video, result_of())
    assert len(frames_of(video)[2]) == 25


def test_a_video_that_is_gone_is_said_to_be(video, tmp_path):
    video.unlink()
    with pytest.raises(InputError, match="does not exist"):
        write_overlay(tmp_path / "out.mp4", video, result_of())
    assert not (tmp_path / "out.mp4").exists()
