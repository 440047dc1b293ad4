import dataclasses
import shutil

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.frames.labelled.examples import VideoExample, VideoSegment
from ostinato_video import prepare as prepare_module
from ostinato_video.data import read_examples
from ostinato_video.prepare import prepare
from ostinato_video.run import Run


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run")


@pytest.fixture(autouse=True)
def use_quick_network(quick_network):
    """None of these tests needs the real one."""


def test_recordings_become_features_and_labels_of_every_frame(squares, run, prepare_config):
    examples = read_examples(squares, group_by="day")
    told = []
    prepared = prepare(run, examples, prepare_config, on_frame=lambda done, seconds: told.append((done, seconds)))
    assert sum(prepared.videos.values()) == 4
    assert set(prepared.videos) == {"train", "dev"}
    assert (prepared.frames, prepared.seconds) == (100, 8.0)
    assert (prepared.skipped_videos, prepared.damaged_videos) == (0, 0)
    assert run.labels == ("background", "blue", "red")
    assert run.prepare_config == prepare_config
    store = run.store
    assert store.features.shape == (100, 4 * 5)
    for number, record in enumerate(store.records):
        assert record.num_frames == 25
        assert record.group == ("monday", "tuesday", "wednesday", "wednesday")[number]
        expected = np.zeros(25)
        expected[3 + number : 9] = 2
        expected[13 : 18 + number] = 1
        assert store.labels_of(number).tolist() == expected.tolist()
        change = np.abs(store.features_of(number)[:, 5:10]).max(axis=1)
        assert set(np.flatnonzero(change > 0.05)) == {3 + number, 9, 13, 18 + number}, "the square comes and goes"
    assert told[0] == (0, 0.0)
    assert told[-1] == (4, 0.0)
    assert (2, pytest.approx(1.92)) in told


def test_clips_have_one_label(squares, run, prepare_config):
    examples = [
        VideoExample(str(video), video.name, "train", label="short" if number % 2 else "long")
        for number, video in enumerate(sorted(squares.glob("*.mp4")))
    ]
    prepare(run, examples, prepare_config)
    assert run.labels == ("long", "short")
    assert [record.label for record in run.store.records] == [0, 1, 0, 1]
    assert not run.store.has_frame_labels(range(4))


def test_the_frame_rate_is_that_of_the_settings(squares, run, prepare_config):
    config = dataclasses.replace(prepare_config, frame_rate=25.0)
    prepared = prepare(run, read_examples(squares, group_by="day"), config)
    assert (prepared.frames, prepared.seconds) == (200, 8.0)
    labels = run.store.labels_of(0)
    assert labels.tolist() == np.repeat(labels[::2], 2).tolist(), "frames of the file are counted, not those read"


def test_damaged_videos_are_told_of_and_what_can_be_read_is_kept(squares, run, prepare_config, tmp_path, paint_video):
    folder = shutil.copytree(squares, tmp_path / "data")
    paint_video(folder / "monday_0.mp4", ["red", None] * 60)
    whole = (folder / "monday_0.mp4").read_bytes()
    start = whole.index(b"mdat")
    (folder / "monday_0.mp4").write_bytes(whole[: start + 400] + bytes(800) + whole[start + 1200 :])
    (folder / "tuesday_1.mp4").write_bytes(b"")
    errors = []
    prepared = prepare(
        run, read_examples(folder, group_by="day"), prepare_config, on_error=lambda error: errors.append(str(error))
    )
    assert (prepared.skipped_videos, prepared.damaged_videos) == (1, 1)
    assert len(errors) == 2
    assert "monday_0.mp4 is damaged" in errors[0]
    assert "tuesday_1.mp4 is empty" in errors[1]
    assert [record.name.rpartition("/")[2] for record in run.store.records] == [
        "monday_0.mp4",
        "wednesday_2.mp4",
        "wednesday_3.mp4",
    ]
    assert len(run.store.frame_labels) == sum(record.num_frames for record in run.store.records)


def test_seconds_that_are_frames_are_noticed(squares, run, prepare_config):
    examples = read_examples(squares, group_by="day")
    wrong = [VideoSegment(segment.start, segment.end, segment.label) for segment in examples[0].segments]
    examples[0] = dataclasses.replace(examples[0], segments=tuple(wrong))
    errors = []
    config = dataclasses.replace(prepare_config, one_in=0)
    prepare(run, examples, config, on_error=lambda error: errors.append(str(error)))
    assert len(errors) == 1
    assert "a segment begins at 13 seconds and the video ends at 2;" in errors[0]
    assert len(run.store.records) == 3


def test_a_run_is_prepared_once(squares, run, prepare_config, monkeypatch):
    examples = read_examples(squares, group_by="day")
    first = prepare(run, examples, prepare_config)
    monkeypatch.setattr(prepare_module, "FeatureReader", None)
    assert prepare(Run(run.folder), examples, prepare_config) == first
    for other, config in ((examples[:3], prepare_config), (examples, dataclasses.replace(prepare_config, one_in=3))):
        with pytest.raises(DataError, match="was prepared from other data or settings"):
            prepare(Run(run.folder), other, config)


def test_a_preparation_that_was_interrupted_is_done_again(squares, run, prepare_config):
    examples = read_examples(squares, group_by="day")

    def interrupt(done, seconds):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(run, examples, prepare_config, on_frame=interrupt)
    assert list(run.folder.iterdir()) == []
    assert prepare(run, examples, prepare_config).frames == 100


def test_data_of_which_nothing_can_be_read_are_refused(run, prepare_config, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video at all")
    examples = [VideoExample(str(tmp_path / "a.mp4"), label, "train", label=label) for label in ("nod", "wave")]
    with pytest.raises(DataError, match="no video for training can be read"):
        prepare(run, examples, prepare_config)


def test_training_videos_are_kept_a_second_time_mirrored_and_no_others(squares, run, prepare_config):
    prepared = prepare(run, read_examples(squares, group_by="day"), dataclasses.replace(prepare_config, mirrored=True))
    assert sum(prepared.videos.values()) == 4
    store = run.store
    originals = store.rows("all")
    variants = [row for row in range(len(store.records)) if row not in originals]
    assert [store.records[row].variant_of for row in variants] == store.rows("train")
    assert {store.records[row].split for row in variants} == {"train"}
    for row in variants:
        original = store.records[row].variant_of
        assert store.labels_of(row).tolist() == store.labels_of(original).tolist()
    assert store.with_variants(store.rows("train")[:1]) == [store.rows("train")[0], variants[0]]
    assert store.with_variants(store.rows("dev")) == store.rows("dev")
