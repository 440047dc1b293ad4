import cv2
import numpy as np
import pytest

from ostinato.errors import ConfigError, UserError
from ostinato.frames.video_writer import VideoWriter


def frames(count, height=48, width=64):
    """Frames that grow brighter, redder than they are blue."""
    for number in range(count):
        yield np.full((height, width, 3), (100 + 10 * number, 60, 20), np.uint8)


def write(path, count=7, frame_rate=8.117, **size):
    height, width = size.get("height", 48), size.get("width", 64)
    with VideoWriter(path, frame_rate=frame_rate, size=(width, height)) as video:
        for image in frames(count, height, width):
            video.write(image)
    return video


def read(path):
    capture = cv2.VideoCapture(str(path))
    rate, images = capture.get(cv2.CAP_PROP_FPS), []
    while capture.grab():
        images.append(cv2.cvtColor(capture.retrieve()[1], cv2.COLOR_BGR2RGB))
    return rate, images


def test_a_video_keeps_rate_size_colours_and_every_frame(tmp_path):
    path = tmp_path / "new folder" / "größe.mp4"
    assert write(path).frames == 7
    rate, images = read(path)
    assert rate == pytest.approx(8.117, abs=1e-3)
    assert [image.shape for image in images] == [(48, 64, 3)] * 7
    np.testing.assert_allclose([image.mean(axis=(0, 1)) for image in images], [f[0, 0] for f in frames(7)], atol=6)
    assert [file.name for file in path.parent.iterdir()] == ["größe.mp4"]


def test_of_an_odd_size_the_last_row_or_column_is_lost(tmp_path):
    write(tmp_path / "a.mp4", height=47, width=65)
    assert read(tmp_path / "a.mp4")[1][0].shape == (46, 64, 3)


def test_until_it_is_complete_what_was_there_before_stays(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("before")
    with VideoWriter(path, frame_rate=25, size=(64, 48)) as video:
        for image in frames(3):
            video.write(image)
        assert path.read_text() == "before"
    assert len(read(path)[1]) == 3


def write_until(path, interrupt):
    with VideoWriter(path, frame_rate=25, size=(64, 48)) as video:
        for image in frames(5):
            video.write(image)
        interrupt(video)


def test_after_an_error_or_without_a_frame_nothing_is_left(tmp_path):
    def stop(video):
        raise KeyboardInterrupt

    path = tmp_path / "a.mp4"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_until(path, stop)
    write(path, count=0)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_frame_of_another_size_is_no_frame_of_this_video(tmp_path):
    with (
        pytest.raises(ValueError, match=r"uint8 \[48, 64, 3\], not uint8 \[64, 48, 3\]"),
        VideoWriter(tmp_path / "a.mp4", frame_rate=25, size=(64, 48)) as video,
    ):
        video.write(np.zeros((64, 48, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_disk_that_was_full_leaves_no_broken_video(tmp_path):
    def fill_disk(video):
        video._writer.release()
        whole = video._partial.read_bytes()
        video._partial.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(UserError, match="could not be completed"):
        write_until(tmp_path / "a.mp4", fill_disk)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "frame_rate", "size", "message"),
    [
        ("a.avi", 25, (64, 48), "let it end in .mp4"),
        ("a.mp4", 0, (64, 48), "0 frames/s"),
        ("a.mp4", float("nan"), (64, 48), "nan frames/s"),
        ("a.mp4", 25, (64, 0), "64 x 0 pixels"),
        ("folder.mp4", 25, (64, 48), "is a folder"),
    ],
)
def test_what_can_be_no_video_is_refused_in_one_sentence(tmp_path, name, frame_rate, size, message):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(ConfigError, match=message):
        VideoWriter(tmp_path / name, frame_rate=frame_rate, size=size)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write(tmp_path / "file" / "a.mp4")
