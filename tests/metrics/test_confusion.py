import numpy as np
import pytest
from rich.cells import cell_len

from ostinato.errors import DataError
from ostinato.metrics import Confusion, confusion_matrix, confusion_table, worst_confusions

LABELS = ["walk", "sit", "open the door"]
MATRIX = np.array([[5, 2, 0], [0, 0, 0], [1, 3, 7]])


def random_labels(num_labels, shape, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(num_labels, size=shape), generator.integers(num_labels, size=shape)


def test_rows_are_true_labels_and_columns_predicted_ones():
    predicted, true = random_labels(5, (3, 7))
    matrix = confusion_matrix(predicted, true, num_labels=5)
    assert matrix.shape == (5, 5)
    for row in range(5):
        for column in range(5):
            assert matrix[row, column] == ((true == row) & (predicted == column)).sum()


def test_what_is_masked_may_have_any_label_and_counts_nowhere():
    matrix = confusion_matrix(
        np.array([0, 2, 9, 1]), np.array([0, 1, 1, -1]), np.array([True, True, False, False]), num_labels=3
    )
    assert matrix.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("predicted", "true", "mask", "message"),
    [
        ([0, 1], [0], None, r"shape \(2,\), true labels of shape \(1,\)"),
        ([0, 1], [0, 1], [True], r"mask of shape \(1,\)"),
        ([], [], None, "no example"),
        ([0], [0], [False], "no example"),
        ([3], [0], None, "Label 3 is predicted, but the labels are 0 to 2"),
        ([0], [-1], None, "Label -1 is true.*mask"),
        ([0.5], [0], None, "predicted are of type float64"),
    ],
)
def test_labels_that_cannot_be_counted_are_named(predicted, true, mask, message):
    with pytest.raises(DataError, match=message):
        confusion_matrix(np.array(predicted), np.array(true), mask, num_labels=3)


def test_the_worst_confusions_come_first_with_their_share_of_the_true_label():
    assert worst_confusions(MATRIX, LABELS, count=2) == (
        Confusion("open the door", "sit", 3, 100 * 3 / 11),
        Confusion("walk", "sit", 2, 100 * 2 / 7),
    )
    assert len(worst_confusions(MATRIX, LABELS, count=9)) == 3  # no more are confused
    assert worst_confusions(np.diag([4, 5]), LABELS[:2]) == ()


def test_the_table_has_a_row_for_each_true_label_with_its_recall():
    lines = confusion_table(MATRIX, LABELS).splitlines()
    assert lines[0].split() == ["true", "\\", "predicted", "1", "2", "3", "recall"]
    assert lines[1].split() == ["1", "walk", "5", "2", ".", "71.4"]
    assert lines[2].split() == ["2", "sit", ".", ".", ".", "-"]  # never true
    assert lines[3].split() == ["3", "open", "the", "door", "1", "3", "7", "63.6"]


def test_the_columns_of_a_table_stand_in_line_in_every_script():
    labels = ["手を振る", "сидеть", "a\nbreak", "Müsliriegel öffnen und danach sehr ausführlich essen", "x"]
    predicted, true = random_labels(5, 4321)
    lines = confusion_table(confusion_matrix(predicted, true, num_labels=5), labels).splitlines()
    assert len(lines) == 6
    assert len({cell_len(line) for line in lines}) == 1
    assert "\u2026" in lines[4]


def test_a_table_of_a_hundred_labels_says_for_what_each_is_taken():
    matrix = np.diag([20] * 100)
    matrix[41, [3, 5, 8, 13, 21]] = [1, 9, 2, 4, 3]
    lines = confusion_table(matrix, [f"sign {number}" for number in range(100)]).splitlines()
    assert len(lines) == 101
    assert lines[42].split(maxsplit=4) == ["42", "sign", "41", "51.3", "sign 5 9, sign 13 4, sign 21 3, others 3"]
    assert lines[43].endswith(" 100.0")
    assert max(map(len, lines)) <= 120


def test_names_must_be_as_many_as_labels():
    for use in (confusion_table, worst_confusions):
        with pytest.raises(DataError, match=r"2 names of labels for a matrix of shape \(3, 3\)"):
            use(MATRIX, LABELS[:2])
