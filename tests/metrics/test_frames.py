import json

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.metrics import confusion_matrix, frame_scores, score_classes, score_frames

TRUE = np.array([0, 0, 0, 0, 1, 1, 1])
PREDICTED = np.array([0, 0, 0, 2, 0, 0, 1])


def test_scores_of_an_example_counted_by_hand():
    scores = score_frames(PREDICTED, TRUE, num_labels=5)
    assert scores.frame_accuracy == pytest.approx(100 * 4 / 7)
    # F1 of labels 0, 1 and 2; labels 3 and 4 do not occur.
    assert scores.macro_f1 == pytest.approx((100 * 6 / 9 + 50 + 0) / 3)
    assert scores.num_examples == 7
    assert scores.signature == "frames:pooled|labels:5|macro-f1:over-3-labels-true-or-predicted"


def test_guessing_the_most_frequent_label_shows_in_macro_f1():
    true = np.array([0] * 97 + [1, 2, 1])
    scores = score_frames(np.zeros_like(true), true, num_labels=3)
    assert scores.frame_accuracy == pytest.approx(97.0)
    assert scores.macro_f1 == pytest.approx(100 * 2 * 97 / 197 / 3)


def test_padding_and_unlabelled_frames_count_nowhere():
    generator = np.random.default_rng(2)
    predicted, true = generator.integers(4, size=(3, 11)), generator.integers(4, size=(3, 11))
    mask = generator.random((3, 11)) < 0.6
    hidden = np.where(mask, true, -1)
    whole = score_frames(predicted[mask], true[mask], num_labels=4)
    assert score_frames(predicted, hidden, mask, num_labels=4) == whole
    assert whole.num_examples == mask.sum()
    assert whole.frame_accuracy == pytest.approx(100 * (predicted == true)[mask].mean())


def test_macro_f1_is_the_mean_over_labels_that_occur():
    generator = np.random.default_rng(3)
    predicted, true = generator.integers(5, size=61), generator.integers(5, size=61)
    matrix = confusion_matrix(predicted, true, num_labels=5)
    classes = score_classes(matrix, list("abcde"))
    assert frame_scores(matrix).macro_f1 == pytest.approx(np.mean([each.f1 for each in classes]))
    assert frame_scores(matrix) == score_frames(predicted, true, num_labels=5)


def test_scores_are_one_json_object_of_plain_numbers():
    fields = json.loads(json.dumps(score_frames(PREDICTED, TRUE, num_labels=3).to_dict()))
    assert list(fields) == ["frame_accuracy", "macro_f1", "num_examples", "signature"]


def test_no_frame_that_counts_has_no_score():
    with pytest.raises(DataError, match="at least one"):
        score_frames(TRUE, TRUE, np.zeros(7, bool), num_labels=2)
