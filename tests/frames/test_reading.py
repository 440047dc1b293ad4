import wave

import av
import cv2
import numpy as np
import pytest

from ostinato.errors import ConfigError, InputError
from ostinato.frames.reading import VideoReader


def read(path, **options):
    with VideoReader(path, **options) as video:
        return list(video), video.damage


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mp4v"), ("a.avi", "MJPG"), ("a.mkv", "XVID"), ("a.mp4", "avc1")]
)
def test_every_frame_comes_once_with_its_time(films, tmp_path, name, codec):
    if codec == "avc1":  # OpenCV writes no H.264
        path = films.write_timed(tmp_path / name, [round(1000 * k / 8.117) for k in range(13)], "libx264")
    else:
        path = films.write(tmp_path / name, codec=codec)
    frames, damage = read(path)
    assert [films.number_of(frame.image) for frame in frames] == [k % 10 for k in range(13)]
    assert [frame.number for frame in frames] == list(range(13))
    assert [frame.time for frame in frames] == pytest.approx([k / 8.117 for k in range(13)], abs=0.002)
    assert damage is None
    image = frames[4].image
    assert (image.shape, image.dtype, image.flags["C_CONTIGUOUS"]) == ((46, 70, 3), np.uint8, True)
    assert image[:10, :10, 0].mean() > 180 > 60 > image[:10, :10, 2].mean()  # red comes first


def test_a_reader_tells_rate_duration_and_size(films, tmp_path):
    with VideoReader(films.write(tmp_path / "a.mp4")) as video:
        assert video.frame_rate == pytest.approx(8.117, abs=0.001)
        assert video.duration == pytest.approx(13 / 8.117, abs=0.01)
        assert video.size == (70, 46)


def test_frames_are_those_that_opencv_reads(films, tmp_path):
    path = films.write(tmp_path / "a.avi", codec="MJPG")
    capture = cv2.VideoCapture(str(path))
    for frame in read(path)[0]:
        np.testing.assert_allclose(frame.image, cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB), atol=3)
    assert not capture.grab()


def test_another_rate_is_met_by_time_stamps(films, tmp_path):
    path = films.write(tmp_path / "a.mp4", count=11, frame_rate=10)
    slow, _ = read(path, frame_rate=3)
    assert [frame.time for frame in slow] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert [frame.number for frame in slow] == [0, 3, 6, 10]
    fast, _ = read(path, frame_rate=20)
    assert [frame.number for frame in fast] == [k // 2 for k in range(22)]
    assert [films.number_of(frame.image) for frame in fast] == [k // 2 % 10 for k in range(22)]


def test_a_video_of_varying_rate_keeps_its_times(films, tmp_path):
    stamps = [0, 40, 80, 500, 540, 1500, 1540]
    path = films.write_timed(tmp_path / "a.mp4", stamps)
    frames, damage = read(path)
    assert [frame.time for frame in frames] == pytest.approx([stamp / 1000 for stamp in stamps])
    assert [frame.number for frame in read(path, frame_rate=4)[0]] == [0, 2, 3, 4, 4, 4, 5]
    assert damage is None


def test_times_count_from_the_first_frame(films, tmp_path):
    frames, damage = read(films.write_timed(tmp_path / "a.mkv", [5000, 5100, 5200]))
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.2])
    assert damage is None


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotated_video_comes_upright(films, tmp_path, degrees):
    path = films.turn(films.write(tmp_path / "phone.mp4"), degrees)
    with VideoReader(path) as video:
        image, size = next(video).image, video.size
    expected = np.rot90(films.picture(0), -degrees // 90)
    assert image.shape == expected.shape
    assert size == expected.shape[1::-1]
    assert np.abs(image.astype(int) - expected).mean() < 5
    assert np.abs(image.astype(int) - cv2.cvtColor(cv2.VideoCapture(str(path)).read()[1], 4)).mean() < 3


def test_large_frames_are_made_smaller_also_when_turned(films, tmp_path):
    path = films.turn(films.write(tmp_path / "phone.mp4"), 90)
    with VideoReader(path, max_side=35) as video:
        assert next(video).image.shape == (35, 23, 3)
        assert video.size == (23, 35)


@pytest.mark.parametrize(("seconds", "number"), [(0, 0), (0.31, 3), (0.3, 3), (1.29, 12), (1.9, 19)])
def test_seeking_gives_what_is_seen_then(films, tmp_path, seconds, number):
    path = films.write(tmp_path / "a.mp4", count=20, frame_rate=10)
    with VideoReader(path) as video:
        next(video)
        video.seek(seconds)
        frames = list(video)
    assert [frame.number for frame in frames] == list(range(number, 20))
    assert [films.number_of(frame.image) for frame in frames] == [k % 10 for k in range(number, 20)]
    assert frames[0].time == pytest.approx(number / 10)
    assert video.damage is None


def test_seeking_keeps_the_grid_of_another_rate_and_goes_back(films, tmp_path):
    path = films.write(tmp_path / "a.mp4", count=20, frame_rate=10)
    with VideoReader(path, frame_rate=4) as video:
        whole = list(video)
        video.seek(0.75)
        assert [frame.time for frame in video] == [frame.time for frame in whole[3:]]
        video.seek(0)
        assert [frame.number for frame in video] == [frame.number for frame in whole]


def test_no_frame_lies_beyond_the_end(films, tmp_path):
    with VideoReader(films.write(tmp_path / "a.mp4")) as video:
        for seconds in (-1, 1.7, float("nan")):
            with pytest.raises(InputError, match=r"between 0 and 1\.60 s"):
                video.seek(seconds)


def test_a_video_of_one_frame_is_read(films, tmp_path):
    path = films.write(tmp_path / "one.mp4", count=1)
    assert [frame.time for frame in read(path)[0]] == [0]
    assert [frame.time for frame in read(path, frame_rate=3)[0]] == [0]
    assert read(path)[1] is None


@pytest.mark.parametrize("rate", [None, 20])
def test_a_video_cut_short_is_read_up_to_there_and_told(films, tmp_path, rate):
    whole = films.write_timed(tmp_path / "whole.mp4", range(0, 4000, 50), movflags="faststart", group=5)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    frames, damage = read(cut, frame_rate=rate)
    assert 20 < len(frames) < 60
    assert [films.number_of(frame.image) for frame in frames] == [k % 10 for k in range(len(frames))]
    assert damage.startswith(f"{cut} is damaged or cut short: from {len(frames) * 0.05:.2f} s on of 3.9")


def test_frames_after_damage_are_read_too(films, tmp_path):
    path = films.write_timed(tmp_path / "a.mp4", range(0, 4000, 50), group=5)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    frames, damage = read(path)
    numbers = [round(frame.time / 0.05) for frame in frames]
    assert 60 < len(frames) < 80
    assert numbers[-1] == 79
    assert [films.number_of(frame.image) for frame in frames] == [number % 10 for number in numbers]
    assert "is damaged or cut short: from" in damage


def test_many_places_of_damage_are_told_in_few_words(films, tmp_path):
    path = films.write_timed(tmp_path / "a.mp4", range(0, 8000, 50), group=5)
    data = bytearray(path.read_bytes())
    for eighth in range(2, 8):
        place = len(data) * eighth // 9
        data[place : place + 300] = bytes(300)
    path.write_bytes(data)
    frames, damage = read(path)
    assert 100 < len(frames) < 159
    assert damage.count("from") == 3
    with VideoReader(path) as video:
        assert video.damage is None  # nothing was met yet
        list(video)
        assert video.damage == damage


def test_a_video_without_its_index_is_told_so(films, tmp_path):
    path = films.write(tmp_path / "cut.mp4")
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(InputError, match=r"cut\.mp4 is an MP4 file that was cut off before its index"):
        VideoReader(path)


def test_what_holds_no_video_is_told_so(tmp_path):
    sound, text, empty = tmp_path / "sound.wav", tmp_path / "notes.txt", tmp_path / "empty.mp4"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    text.write_text("It rained.\n" * 100)
    empty.touch()
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(3).bytes(5000))
    for name, words in {
        "sound.wav": "holds no video",
        "notes.txt": "no.* video",
        "empty.mp4": "is empty",
        "noise.mp4": "is not a video that can be read",
        "": "is a folder",
        "none.mp4": "does not exist",
        "no\0name.mp4": "cannot be opened",
    }.items():
        with pytest.raises(InputError, match=words):
            VideoReader(tmp_path / name)


def test_names_that_look_like_addresses_are_files(films, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    films.write(tmp_path / "a.mp4").rename("rtsp:größe 100%.mp4")
    assert len(read("rtsp:größe 100%.mp4")[0]) == 13


def test_impossible_rates_and_sizes_are_refused(tmp_path):
    for options in ({"frame_rate": 0}, {"frame_rate": float("nan")}, {"max_side": 0}):
        with pytest.raises(ConfigError, match="not possible"):
            VideoReader(tmp_path / "a.mp4", **options)


def test_clips_tagged_as_those_of_phones_are_read_in_their_colours(films, tmp_path):
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 70, 46, "yuv420p"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, 2, 10  # BT.2020, constant luminance
        for number in range(9):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(films.picture(number), format="rgb24")))
        container.mux(stream.encode())
    assert [films.number_of(frame.image) for frame in read(path)[0]] == list(range(9))
