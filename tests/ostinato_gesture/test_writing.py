import numpy as np
import pytest

from ostinato.frames.labelled import VideoExample, VideoSegment
from ostinato.frames.video_writer import VideoWriter
from ostinato_gesture.config import PrepareConfig
from ostinato_gesture.prepare import prepare
from ostinato_gesture.run import Run
from ostinato_gesture.writing import label_clip

SIZE = (320, 240)


@pytest.fixture(scope="module")
def videos(tmp_path_factory, draw_scene):
    """A clip in which a hand comes after 3 frames and goes before the last 2, one without hands, and a damaged one."""
    folder = tmp_path_factory.mktemp("videos")
    empty, hand = draw_scene(), draw_scene((160, 200))
    for name, frames in {"wave": [empty] * 3 + [hand] * 7 + [empty] * 2, "rest": [empty] * 5}.items():
        with VideoWriter(folder / f"{name}.mp4", frame_rate=15.0, size=SIZE) as video:
            for frame in frames:
                video.write(frame)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def prepared(videos, tmp_path_factory):
    examples = [
        VideoExample(str(videos / "wave.mp4"), "ann", "", label="wave"),
        VideoExample(str(videos / "broken.mp4"), "ben", "", label="nod"),
        VideoExample(str(videos / "rest.mp4"), "eve", "", label="none"),
        VideoExample(
            str(videos / "wave.mp4"), "ann", "", segments=(VideoSegment(2, 5, "nod", "frames"),)
        ),
    ]  # fmt: skip
    errors, times = [], []
    run = Run(tmp_path_factory.mktemp("run"))
    counts = prepare(
        run, examples, PrepareConfig(), on_error=errors.append, on_frame=lambda done, seconds: times.append(done)
    )
    return run, counts, errors, times


def test_landmarks_are_stored_and_frames_without_hands_are_zeros_and_none(prepared):
    run, _, _, _ = prepared
    assert (run.kind, run.labels) == ("landmarks", ("none", "nod", "wave"))
    landmarks = run.store.features_of(0).reshape(-1, 2, 21, 3)
    present = np.any(landmarks != 0, axis=(1, 2, 3))
    assert len(landmarks) == 12
    assert not present[:3].any()
    assert present[4:9].all()
    labels = run.store.labels_of(0)
    np.testing.assert_array_equal(labels == 2, present)
    assert set(labels.tolist()) == {0, 2}


def test_frames_of_segments_have_their_labels_whether_hands_are_there_or_not(prepared):
    run, _, _, _ = prepared
    assert run.store.records[2].label == -1
    assert run.store.labels_of(2).tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_videos_that_cannot_be_read_are_told_of_and_left_out(prepared):
    run, counts, errors, times = prepared
    assert [record.name.rpartition("/")[2] for record in run.store.records] == ["wave.mp4", "rest.mp4", "wave.mp4"]
    assert (counts.skipped, counts.damaged, counts.frames) == (1, 0, 29)
    assert 0.3 < counts.hand_share < 0.6
    assert len(errors) == 1
    assert "broken.mp4" in str(errors[0])
    assert max(times) == 4


def test_a_clip_has_its_label_from_the_first_hand_to_the_last():
    present = np.array([False, True, False, True, False, False])
    assert label_clip(present, 2, 0).tolist() == [0, 2, 2, 2, 0, 0]
    assert label_clip(present, 2, -1).tolist() == [2] * 6
    assert label_clip(np.zeros(3, bool), 2, 0).tolist() == [2] * 3
