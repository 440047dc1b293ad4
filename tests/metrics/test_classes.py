import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.metrics import ClassScores, class_table, confusion_matrix, score_classes

LABELS = ["walk", "sit", "lie"]


def test_precision_and_recall_of_an_example_counted_by_hand():
    # walk: 4 true, 3 of them found, 5 predicted; sit: 3 true, 1 found, 1 predicted; lie: never true, predicted once
    true = np.array([0, 0, 0, 0, 1, 1, 1])
    predicted = np.array([0, 0, 0, 2, 0, 0, 1])
    walk, sit, lie = score_classes(confusion_matrix(predicted, true, num_labels=3), LABELS)
    assert walk == ClassScores("walk", 60.0, 75.0, 100 * 6 / 9, 4)
    assert sit == ClassScores("sit", 100.0, 100 / 3, 50.0, 3)
    assert lie == ClassScores("lie", 0.0, 0.0, 0.0, 0)


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    generator = np.random.default_rng(1)
    true = generator.integers(7, size=199)
    predicted = np.where(generator.random(199) < 0.5, true, generator.integers(7, size=199))
    matrix = confusion_matrix(predicted, true, num_labels=7)
    for scores in score_classes(matrix, list("abcdefg")):
        assert scores.f1 == pytest.approx(2 / (1 / scores.precision + 1 / scores.recall))
    assert sum(scores.support for scores in score_classes(matrix, list("abcdefg"))) == 199


def test_the_table_has_a_line_for_each_label():
    table = class_table(score_classes(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 12345]]), LABELS))
    lines = [line.split() for line in table.splitlines()]
    assert lines[0] == ["label", "precision", "recall", "f1", "support"]
    assert lines[1] == ["walk", "100.0", "75.0", "85.7", "4"]
    assert lines[3] == ["lie", "100.0", "100.0", "100.0", "12345"]
    assert len({len(line) for line in table.splitlines()}) == 1


def test_fields_go_into_json_by_name():
    (scores,) = score_classes(np.array([[3]]), ["walk"])
    assert scores.to_dict() == {"label": "walk", "precision": 100.0, "recall": 100.0, "f1": 100.0, "support": 3}
    assert type(scores.precision) is float
    assert type(scores.support) is int


def test_names_must_be_as_many_as_labels():
    with pytest.raises(DataError, match="3 names"):
        score_classes(np.eye(2, dtype=int), LABELS)
