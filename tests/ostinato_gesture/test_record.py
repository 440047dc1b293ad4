import numpy as np
import pytest

from ostinato.errors import ConfigError, InputError
from ostinato.frames.reading import Frame, VideoReader
from ostinato.frames.video_writer import VideoWriter
from ostinato_gesture.record import FRAME_RATE, RecordConfig, Recorder, check_label, record_clips

SIZE = (32, 24)


def picture(value):
    return np.full((SIZE[1], SIZE[0], 3), value, np.uint8)


@pytest.fixture(scope="module")
def ramp(tmp_path_factory):
    """Three seconds at 10 frames/s that become brighter and brighter."""
    path = tmp_path_factory.mktemp("source") / "ramp.mp4"
    with VideoWriter(path, frame_rate=10, size=SIZE) as video:
        for number in range(30):
            video.write(picture(8 * number))
    return path


def frames_of(path):
    with VideoReader(path) as reader:
        return [round(float(frame.image.mean())) for frame in reader], reader.frame_rate


def test_clips_are_what_comes_between_count_downs(ramp, tmp_path):
    notices: list[str] = []
    written = record_clips(
        str(ramp),
        tmp_path,
        "wave",
        RecordConfig(clips=2, seconds=0.5, count_down=0.6),
        headless=True,
        real_time=False,
        on_notice=notices.append,
    )
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "wave/wave-0001.mp4",
        "wave/wave-0002.mp4",
    ]
    source, _ = frames_of(ramp)
    for path, first in zip(written, (6, 17), strict=True):
        values, rate = frames_of(path)
        assert (len(values), rate) == (15, FRAME_RATE)
        expected = np.repeat(source[first : first + 5], 3)  # 10 frames/s become 30: each is there three times
        np.testing.assert_allclose(values, expected, atol=4)
    assert notices == [
        "clip 1 of 2 in 1 s",
        "clip 1 of 2: now",
        f"wrote {written[0]}",
        "clip 2 of 2 in 1 s",
        "clip 2 of 2: now",
        f"wrote {written[1]}",
    ]


def test_clips_that_are_there_are_kept(ramp, tmp_path):
    config = RecordConfig(clips=1, seconds=0.3, count_down=0.0)
    (first,) = record_clips(str(ramp), tmp_path, "wave", config, headless=True, real_time=False)
    content = first.read_bytes()
    (tmp_path / "wave" / "wave-0007.mp4").write_bytes(b"mine")
    (second,) = record_clips(str(ramp), tmp_path, "wave", config, headless=True, real_time=False)
    assert (first.read_bytes(), second.name) == (content, "wave-0008.mp4")


def test_a_source_that_ends_in_the_middle_of_a_clip_leaves_nothing_half_written(ramp, tmp_path):
    with pytest.raises(InputError, match="before a clip was complete"):
        record_clips(
            str(ramp), tmp_path, "wave", RecordConfig(clips=1, seconds=10, count_down=0), headless=True, real_time=False
        )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_clips_before_the_end_of_the_source_are_kept(ramp, tmp_path):
    config = RecordConfig(clips=9, seconds=0.9, count_down=0.2)
    written = record_clips(str(ramp), tmp_path, "wave", config, headless=True, real_time=False)
    assert len(written) == 2
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == written


def test_a_camera_that_was_away_begins_its_clip_anew(tmp_path):
    recorder = Recorder(tmp_path, "wave", RecordConfig(clips=1, seconds=0.5, count_down=0.0))
    for time in (0.0, 0.1, 0.2):
        recorder.step(Frame(picture(0), time, 0))
    states = [recorder.step(Frame(picture(200), 9 + 0.1 * number, 0)) for number in range(6)]
    recorder.close()
    assert [state.recording for state in states] == [True] * 5 + [False]
    values, _ = frames_of(recorder.written[0])
    assert min(values) > 190


def test_the_label_is_the_name_of_a_folder():
    check_label("Fan on_2")
    for label in ("", " wave", "a/b", "a\\b", "..", ".hidden", "what?"):
        with pytest.raises(ConfigError, match="is no name for a gesture"):
            check_label(label)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [({"clips": 0}, "--clips 0"), ({"seconds": 0.1}, "--seconds 0.1"), ({"count_down": -1}, "--count-down -1")],
)
def test_impossible_settings_are_told(settings, fault):
    with pytest.raises(ConfigError, match=fault):
        RecordConfig(**settings)
