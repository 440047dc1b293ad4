"""Which label is taken for which: the matrix from which accuracy and F1 follow, as numbers and as text."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len, set_cell_size

from ostinato.errors import DataError

_LABEL_WIDTH = 32  # columns of a terminal; longer labels are cut
_NUM_NAMED = 3  # of the labels that a row without room for a full table is taken for


@dataclasses.dataclass(frozen=True)
class Confusion:
    """One label that is taken for another."""

    true_label: str
    predicted_label: str
    count: int
    share: float  # of the examples of the true label, 0 to 100


def confusion_matrix(
    predicted: np.ndarray, true: np.ndarray, mask: np.ndarray | None = None, *, num_labels: int
) -> np.ndarray:
    """Counts how often each label is taken for each.

    Args:
      predicted: int, any shape, such as [N] clips or [B, F] frames; labels from 0.
      true: int, the same shape.
      mask: bool, the same shape, True where an example counts; what is masked may hold any number, such as -1.
      num_labels: L.

    Returns:
      int64 [L, L], a row for each true label and a column for each predicted one.

    Raises:
      DataError: different shapes, a label outside 0 to L - 1, or nothing that counts.
    """
    predicted, true = np.asarray(predicted), np.asarray(true)
    kept = np.ones(true.shape, bool) if mask is None else np.asarray(mask, bool)
    if not predicted.shape == true.shape == kept.shape:
        raise DataError(
            f"Predicted labels of shape {predicted.shape}, true labels of shape {true.shape} and a mask of shape "
            f"{kept.shape} do not go together; give one of each for every example."
        )
    if not kept.any():
        raise DataError("There is no example to score; give at least one that is not masked.")
    for name, labels in (("predicted", predicted), ("true", true)):
        if not np.issubdtype(labels.dtype, np.integer):
            raise DataError(f"Labels are numbers from 0; those {name} are of type {labels.dtype}.")
        wrong = labels[kept & ((labels < 0) | (labels >= num_labels))]
        if wrong.size:
            raise DataError(
                f"Label {wrong[0]} is {name}, but the labels are 0 to {num_labels - 1}; mask what has none."
            )
    cells = true[kept].astype(np.int64) * num_labels + predicted[kept]
    return np.bincount(cells, minlength=num_labels**2).reshape(num_labels, num_labels)


def worst_confusions(matrix: np.ndarray, labels: Sequence[str], *, count: int = 5) -> tuple[Confusion, ...]:
    """Names what is confused most often, most frequent first.

    Args:
      matrix: int [L, L] of `confusion_matrix`.
      labels: their names, in order.
      count: at most how many.

    Raises:
      DataError: another number of names than of labels.
    """
    check_labels(matrix, labels)
    wrong = np.where(np.eye(len(labels), dtype=bool), 0, matrix)
    order = np.argsort(-wrong, axis=None, kind="stable")[:count]
    places = [(int(row), int(column)) for row, column in zip(*np.unravel_index(order, wrong.shape), strict=True)]
    support = matrix.sum(axis=1)
    return tuple(
        Confusion(
            labels[row], labels[column], int(matrix[row, column]), float(100 * matrix[row, column] / support[row])
        )
        for row, column in places
        if wrong[row, column]
    )


def confusion_table(matrix: np.ndarray, labels: Sequence[str], *, max_width: int = 120) -> str:
    """Writes the matrix as lines of text for a terminal.

    Rows are true labels with their recall; columns are predicted labels, headed by the numbers of the rows. Where that
    is wider than `max_width` (some 20 labels are), each row names what its label is taken for instead.

    Args:
      matrix: int [L, L] of `confusion_matrix`.
      labels: their names, in order.
      max_width: in columns of a terminal; East Asian letters take two.

    Returns:
      L + 1 lines, without a line break at the end.

    Raises:
      DataError: another number of names than of labels.
    """
    check_labels(matrix, labels)
    support = matrix.sum(axis=1)
    recall = [f"{100 * matrix[row, row] / support[row]:.1f}" if support[row] else "-" for row in range(len(labels))]
    number_width = len(str(len(labels)))
    heads = [f"{number:>{number_width}} {name}" for number, name in enumerate(column_of_labels(labels), start=1)]
    title = set_cell_size(f"{'':{number_width}} true \\ predicted", max(17 + number_width, cell_len(heads[0])))
    heads = [set_cell_size(head, cell_len(title)) for head in heads]
    width = max(number_width, len(str(matrix.max())))
    columns = "".join(f"  {number:>{width}}" for number in range(1, len(labels) + 1))
    if cell_len(title) + len(columns) + len("  recall") > max_width:
        return _confusion_list(matrix, labels, [f"{head}  {each:>6}" for head, each in zip(heads, recall, strict=True)])
    lines = [f"{title}{columns}  recall"]
    for head, row, each in zip(heads, matrix, recall, strict=True):
        lines.append(head + "".join(f"  {count or '.':>{width}}" for count in row) + f"  {each:>6}")
    return "\n".join(lines)


def check_labels(matrix: np.ndarray, labels: Sequence[str]) -> None:
    """Raises DataError unless there is one name for each row and column of a matrix."""
    if matrix.shape != (len(labels), len(labels)):
        raise DataError(f"There are {len(labels)} names of labels for a matrix of shape {matrix.shape}; give as many.")


def column_of_labels(labels: Sequence[str]) -> list[str]:
    """Brings names to the width of the widest, cut with an ellipsis where that is too wide for a table."""
    # A line break within a name would break the table.
    names = [" ".join(label.split()) for label in labels]
    width = min(_LABEL_WIDTH, max(map(cell_len, names), default=0))
    cut = [name if cell_len(name) <= width else set_cell_size(name, width - 1).rstrip() + "\u2026" for name in names]
    return [set_cell_size(name, width) for name in cut]


def _confusion_list(matrix: np.ndarray, labels: Sequence[str], heads: Sequence[str]) -> str:
    lines = [set_cell_size("true", cell_len(heads[0]) - len("recall")) + "recall  taken for"]
    for row, (counts, head) in enumerate(zip(matrix, heads, strict=True)):
        others = [column for column in np.argsort(-counts, kind="stable") if column != row and counts[column]]
        named = [f"{' '.join(labels[column].split())} {counts[column]}" for column in others[:_NUM_NAMED]]
        rest = int(counts[others[_NUM_NAMED:]].sum())
        lines.append(f"{head}  {', '.join([*named, f'others {rest}'] if rest else named)}".rstrip())
    return "\n".join(lines)
