import numpy as np
import pytest

from ostinato.sequences.majority import majority_outputs, score_majority
from ostinato.sequences.outputs import StreamTruth
from ostinato.sequences.scoring import ScoringOptions


def recording(*frames):
    return StreamTruth(np.array(frames), -1, "day")


def clip(label, frames=3):
    return StreamTruth(np.full(frames, -1), label, "day")


def test_the_most_frequent_label_of_training_is_chosen_everywhere():
    outputs = majority_outputs([clip(2), clip(1), clip(2, frames=99), clip(-1)], [clip(0, 5), clip(1, 2)], 4)
    assert [output.frame_logits.shape for output in outputs] == [(5, 4), (2, 4)]
    assert [output.clip_logits.argmax() for output in outputs] == [2, 2]
    assert np.exp(outputs[0].clip_logits).tolist() == pytest.approx([1 / 7, 2 / 7, 3 / 7, 1 / 7])


def test_unlabelled_frames_make_no_majority():
    (output,) = majority_outputs([recording(-1, -1, -1, 1, 1, 0)], [recording(0, 0)], 2)
    assert output.frame_logits.argmax(axis=1).tolist() == [1, 1]


def test_each_fold_has_its_own_majority():
    folds = [([clip(1), clip(1), clip(0)], [clip(1)]), ([clip(0), clip(0), clip(1)], [clip(1)])]
    assert score_majority(folds, 2, ScoringOptions())["clip_accuracy"] == 50


def test_of_frames_in_which_something_happens_the_majority_is_no_background():
    folds = [([recording(0, 0, 0, 0, 2, 2, 1)], [recording(0, 0, 0, 2)])]
    scores = score_majority(folds, 3, ScoringOptions(background=0))
    assert scores["frame_accuracy"] == 100
    assert scores["frame_accuracy_all"] == 75
    assert score_majority(folds, 3, ScoringOptions())["frame_accuracy"] == 75


def test_a_background_without_anything_else_in_training_is_not_chosen_either():
    scores = score_majority([([recording(0, 0)], [recording(0, 1)])], 2, ScoringOptions(background=0))
    assert (scores["frame_accuracy"], scores["frame_accuracy_all"]) == (100, 50)
