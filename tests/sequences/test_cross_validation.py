import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ostinato.errors import DataError
from ostinato.sequences import Fold, StreamConfig, StreamOutput, cross_validation, hold_out_groups, leave_one_group_out
from ostinato.sequences.cross_validation import CROSS_VALIDATION, cross_validate, read_temperature

SMALL = StreamConfig(
    units=8, projection_size=0, dropout=0.0, input_dropout=0.0, window=9, batch_size=8, learning_rate=0.03,
    averaging=0.5, epochs=25, seed=3,
)  # fmt: skip
QUICK = StreamConfig(**{**vars(SMALL), "epochs": 1, "units": 3})


@pytest.fixture(scope="module")
def result(clips):
    """Of two people, by networks that were trained on the three others."""
    rows, told = list(range(5, 40)), []
    folds = [hold_out_groups([clips.records[row].group for row in rows], {"person 2", "person 4"}, name="2 and 4")]
    result = cross_validate(clips, ["AB", "BA"], SMALL, folds, rows, on_fold=lambda *each: told.append(each))
    return result, told


def test_each_sequence_held_out_is_read_and_no_other(clips, result):
    found, told = result
    assert sorted(found.outputs) == [row for row in range(5, 40) if row % 5 in (2, 4)]
    assert all(found.outputs[row].frame_logits.shape == (clips.records[row].num_frames, 2) for row in found.outputs)
    assert [(fold.name, scores["num_clips"]) for fold, scores in told] == [("2 and 4", 14)]
    assert [(fold.name, fold.num_train, fold.num_held_out) for fold in found.folds] == [("2 and 4", 21, 14)]


def test_what_takes_a_memory_is_learnt_with_recurrence_and_not_without(result):
    found, _ = result
    assert found.scores["clip_accuracy"] > 90
    assert found.without_recurrence["clip_accuracy"] < 75
    assert found.majority["clip_accuracy"] < 60
    assert found.scores["num_clips"] == found.without_recurrence["num_clips"] == found.majority["num_clips"] == 14


def test_a_run_keeps_what_was_found_for_the_export(result, tmp_path):
    found, _ = result
    assert read_temperature(tmp_path / CROSS_VALIDATION) is None
    found.write(tmp_path / CROSS_VALIDATION)
    assert read_temperature(tmp_path / CROSS_VALIDATION) == found.temperature > 0
    kept = json.loads((tmp_path / CROSS_VALIDATION).read_text())
    assert kept == json.loads(json.dumps(found.to_dict()))
    assert set(kept) == {"scores", "folds", "majority", "without_recurrence", "temperature", "abstain"}
    assert set(kept["abstain"]) == {"90", "95"}
    (tmp_path / CROSS_VALIDATION).write_text('{"temperature": ')
    with pytest.raises(DataError, match="damaged"):
        read_temperature(tmp_path / CROSS_VALIDATION)


def test_the_same_call_gives_the_same_whatever_lies_in_no_list_of_a_fold(clips):
    fold = Fold("some", [0, 1, 2, 3], [6])
    (found, other) = (
        cross_validate(clips, ["AB", "BA"], QUICK, [fold], rows, compare=False)
        for rows in ([8, 9, 10, 11, 5, 6, 7], [8, 9, 10, 11, 30, 31, 7])
    )
    assert list(found.outputs) == list(other.outputs) == [7]
    assert_array_equal(found.outputs[7].frame_logits, other.outputs[7].frame_logits)
    assert found.to_dict() == other.to_dict()
    assert (found.folds[0].temperature, found.folds[0].num_train) == (1.0, 4)
    assert found.without_recurrence is None


@pytest.fixture
def says(monkeypatch):
    """In place of a network: says of each sequence what the function that it is given does."""

    def replace(function):
        monkeypatch.setattr(
            cross_validation,
            "train_and_read",
            lambda store, train, held_out, num_labels, config, vary: [function(row, config) for row in held_out],
        )

    return replace


def test_recordings_with_background_are_scored_frame_by_frame(recordings, says):
    def right_but_at_the_end(row, config):
        truth = np.maximum(recordings.truth_of(row), 0)
        truth[20:] = 1
        return StreamOutput(5 * np.eye(3)[truth], np.zeros(3))

    says(right_but_at_the_end)
    folds = leave_one_group_out([each.group for each in recordings.records])
    found = cross_validate(recordings, ["background", "no", "yes"], QUICK, folds, range(4))
    assert (found.scores["frame_accuracy"], found.scores["edit_score"]) == (50, 50)
    assert found.scores["frame_accuracy_all"] == pytest.approx(100 * 20 / 37)
    assert "background:0" in found.scores["signature"]
    assert found.majority["frame_accuracy"] == 50
    assert found.majority["frame_accuracy_all"] == pytest.approx(100 * 21 / 37)
    assert [fold.name for fold in found.folds] == ["day 0", "day 1", "day 2", "day 3"]
    assert found.folds[2].scores["num_frames"] == 37


def test_how_sure_a_network_may_be_is_told_by_the_other_folds(clips, says):
    """One that is wrong now and then, and right about one person always."""

    def always_sure(row, config):
        record = clips.records[row]
        label = record.label if record.group == "person 0" or row % 4 else 1 - record.label
        return StreamOutput(np.zeros((record.num_frames, 2)), 20 * np.eye(2)[label])

    says(always_sure)
    folds = leave_one_group_out([each.group for each in clips.records])
    found = cross_validate(clips, ["AB", "BA"], QUICK, folds, range(40))
    by_name = {fold.name: fold for fold in found.folds}
    assert by_name["person 0"].temperature > found.temperature > 5
    assert by_name["person 0"].scores["clip_accuracy"] == 100
    assert by_name["person 0"].scores["ece"] > 10  # by the others, it would be wrong as often as they are
    assert found.scores["ece"] < 15  # 20 without temperatures
    right = sum(fold.scores["clip_accuracy"] * fold.num_held_out for fold in found.folds)
    assert found.scores["clip_accuracy"] == pytest.approx(right / 40)
    assert found.abstain["95"] is None


def test_a_fold_without_labels_has_no_scores(write_store, tmp_path, says):
    store = write_store(
        tmp_path, [{"features": np.ones((2, 3)), "label": label, "group": f"{label}"} for label in (1, -1, 0)]
    )
    says(lambda row, config: StreamOutput(np.zeros((2, 2)), np.array([1.0, 0.0])))
    found = cross_validate(store, ["a", "b"], QUICK, leave_one_group_out(["1", "-1", "0"]), range(3))
    assert [fold.scores.get("clip_accuracy") for fold in found.folds] == [None, 100, 0]
    assert found.scores["clip_accuracy"] == 50


@pytest.mark.parametrize(
    ("folds", "fault"),
    [
        ([], "no folds"),
        ([Fold("a", [0, 1], [2]), Fold("b", [0], [1, 2])], "held out by more than one of the 2"),
        ([Fold("a", [0, 1], [1])], "a: a sequence is both"),
        ([Fold("a", [], [1])], "a: there are 0 sequences to train on"),
        ([Fold("a", [1], [])], "and 0 held out"),
    ],
)
def test_folds_that_cannot_be_are_named_before_anything_is_trained(clips, folds, fault):
    with pytest.raises(DataError, match=fault):
        cross_validate(clips, ["AB", "BA"], QUICK, folds, range(3))
