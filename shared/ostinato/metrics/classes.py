"""How well each label is recognised: precision, recall and F1, from a confusion matrix."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from ostinato.metrics.confusion import check_labels, column_of_labels


@dataclasses.dataclass(frozen=True)
class ClassScores:
    """Scores of one label on the scale 0 to 100; 0 where there is nothing to divide by."""

    label: str
    precision: float  # of what is predicted as this label, the share that is
    recall: float  # of what has this label, the share that is predicted as it
    f1: float
    support: int  # examples that have this label

    def to_dict(self) -> dict[str, str | float | int]:
        """The fields by name."""
        return dataclasses.asdict(self)


def score_classes(matrix: np.ndarray, labels: Sequence[str]) -> tuple[ClassScores, ...]:
    """Scores each label.

    Args:
      matrix: int [L, L] of `confusion_matrix`.
      labels: their names, in order.

    Raises:
      DataError: another number of names than of labels.
    """
    check_labels(matrix, labels)
    return tuple(
        class_scores(label, int(matrix[row, row]), int(matrix[:, row].sum()), int(matrix[row].sum()))
        for row, label in enumerate(labels)
    )


def class_scores(label: str, num_right: int, num_predicted: int, num_true: int) -> ClassScores:
    """Scores one label by its counts: predicted and true, predicted, true."""
    return ClassScores(
        label=label,
        precision=percentage(num_right, num_predicted),
        recall=percentage(num_right, num_true),
        f1=f1_of_counts(num_right, num_predicted, num_true),
        support=num_true,
    )


def class_table(scores: Sequence[ClassScores]) -> str:
    """Writes the scores as lines of text, a label each below a line of headings."""
    names = column_of_labels(["label", *(each.label for each in scores)])
    lines = [f"{names[0]}  precision  recall     f1  support"]
    for name, each in zip(names[1:], scores, strict=True):
        lines.append(f"{name}  {each.precision:9.1f}  {each.recall:6.1f}  {each.f1:5.1f}  {each.support:7d}")
    return "\n".join(lines)


def percentage(count: int, total: int) -> float:
    """A share on the scale 0 to 100; 0 of nothing."""
    return 100.0 * count / total if total else 0.0


def f1_of_counts(num_right: int, num_predicted: int, num_true: int) -> float:
    """The harmonic mean of precision and recall, 0 to 100, as 2 TP / (2 TP + FP + FN); 0 where nothing is either."""
    return percentage(2 * num_right, num_predicted + num_true)
