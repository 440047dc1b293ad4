import dataclasses

import numpy as np
import pytest
from PIL import Image

from ostinato.errors import InputError
from ostinato.frames.timeline import Segment
from ostinato_video import plotting
from ostinato_video.plotting import write_plot
from ostinato_video.results import VideoResult


@pytest.fixture
def video(squares):
    return squares / "monday_0.mp4"  # 25 frames at 12.5 frames/s


@pytest.fixture
def result():
    scores = np.tile(np.array([0.2, 0.5, 0.3], np.float32), (25, 1))
    return VideoResult(
        labels=("background", "blue", "red"),
        label="blue",
        confidence=0.5,
        scores=scores[0],
        segments=(Segment(0.24, 0.72, "red", 0.9), Segment(1.04, 1.44, "blue", 0.8)),
        times=np.arange(25) / 12.5,
        frame_numbers=np.arange(25),
        frame_scores=scores,
        frame_rate=12.5,
        background="background",
    )


def colours_of(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_a_plot_is_a_png_in_a_folder_that_need_not_be_there(video, result, tmp_path):
    path = tmp_path / "new" / "plots" / "monday.png"
    write_plot(path, video, result)
    assert min(colours_of(path).shape[:2]) > 100
    assert [file.name for file in path.parent.iterdir()] == ["monday.png"]


def test_what_is_in_the_video_is_seen_in_the_plot(video, result, tmp_path):
    write_plot(tmp_path / "a.png", video, result)
    write_plot(tmp_path / "b.png", video, dataclasses.replace(result, segments=()))
    assert not np.array_equal(colours_of(tmp_path / "a.png"), colours_of(tmp_path / "b.png"))


def test_key_frames_are_those_of_their_times(video, result):
    frames = plotting._frames_at(video, [0.0, 0.4, 1.2])
    assert [frame.time for frame in frames] == pytest.approx([0.0, 0.4, 1.2], abs=0.01)
    grey, red, blue = (frame.image[30, 32].astype(int) for frame in frames)  # within the square
    assert np.ptp(grey) < 30
    assert red[0] - red[2] > 100
    assert blue[2] - blue[0] > 100


def test_a_time_behind_the_end_has_no_frame(video):
    assert [frame.time for frame in plotting._frames_at(video, [0.4, 60.0])] == pytest.approx([0.4], abs=0.01)


def test_a_video_that_has_gone_is_named_and_no_plot_is_left(video, result, tmp_path):
    with pytest.raises(InputError, match=r"gone\.mp4 does not exist"):
        write_plot(tmp_path / "out.png", tmp_path / "gone.mp4", result)
    assert list(tmp_path.iterdir()) == []
