from pathlib import Path

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato_gesture.config import PrepareConfig
from ostinato_gesture.data import FeatureSequence
from ostinato_gesture.npz_data import LabelledEvent
from ostinato_gesture.prepare import choose_labels, prepare
from ostinato_gesture.run import Run


def sequence(name, label=None, events=(), frames=5, group="ann", split=""):
    features = np.random.default_rng(len(name)).normal(size=(frames, 3))
    return FeatureSequence(name, group, features, split, label, events)


def test_sequences_of_an_archive_are_stored_as_they_are(tmp_path):
    data = [sequence("a", "wave"), sequence("bb", "nod", frames=7, group="ben")]
    prepared = prepare(Run(tmp_path / "run"), data, PrepareConfig())
    run = Run(tmp_path / "run")
    assert (prepared.sequences, prepared.frames, prepared.seconds) == ({"train": 2}, 12, 0.8)
    assert (run.kind, run.labels, run.none) == ("features", ("none", "nod", "wave"), "none")
    assert run.prepare_config == PrepareConfig()
    record = run.store.records[1]
    assert (record.name, record.group, record.label) == ("bb", "ben", 1)
    assert np.allclose(run.store.features_of(1), data[1].features, atol=1e-2)


def test_frames_of_recordings_outside_gestures_are_none(tmp_path):
    events = (LabelledEvent(1, 3, "wave"), LabelledEvent(4, 6, "nod"))
    prepare(Run(tmp_path), [sequence("a", events=events, frames=7)], PrepareConfig(background=False))
    run = Run(tmp_path)
    assert run.labels == ("none", "nod", "wave")
    assert run.store.labels_of(0).tolist() == [0, 2, 2, 0, 1, 1, 0]


def test_clips_alone_have_no_none_where_it_is_not_wanted():
    data = [sequence("a", "wave"), sequence("b", "nod")]
    assert choose_labels(data, PrepareConfig(background=False)) == ("nod", "wave")
    assert choose_labels(data, PrepareConfig(background_label="rest")) == ("rest", "nod", "wave")


def test_data_without_a_gesture_are_refused():
    with pytest.raises(DataError, match="no gesture, only 'none'"):
        choose_labels([sequence("a", "none")], PrepareConfig())
    with pytest.raises(DataError, match="nothing to prepare"):
        prepare(Run(Path("nowhere")), [], PrepareConfig())


def test_whole_groups_are_kept_for_validation_where_that_is_asked_for(tmp_path):
    data = [sequence(f"{number}", ("nod", "wave")[number % 2], group=f"{number // 2}") for number in range(14)]
    prepare(Run(tmp_path), data, PrepareConfig(one_in=3))
    splits = {}
    for record in Run(tmp_path).store.records:
        splits.setdefault(record.group, set()).add(record.split)
    assert {split for of_group in splits.values() for split in of_group} == {"train", "dev"}
    assert all(len(of_group) == 1 for of_group in splits.values())


def test_the_same_data_are_prepared_once_and_others_not_over_them(tmp_path):
    data = [sequence("a", "wave"), sequence("bb", "nod")]
    first = prepare(Run(tmp_path), data, PrepareConfig())
    written = (tmp_path / "features.npy").stat().st_mtime_ns
    assert prepare(Run(tmp_path), data, PrepareConfig()) == first
    assert (tmp_path / "features.npy").stat().st_mtime_ns == written
    with pytest.raises(DataError, match="other data or settings"):
        prepare(Run(tmp_path), data[:1], PrepareConfig())
    with pytest.raises(DataError, match="other data or settings"):
        prepare(Run(tmp_path), data, PrepareConfig(frame_rate=25.0))
