"""How many frames get the right label."""

import dataclasses

import numpy as np

from ostinato.metrics.classes import f1_of_counts
from ostinato.metrics.confusion import confusion_matrix


@dataclasses.dataclass(frozen=True)
class FrameScores:
    """Scores of all frames together, on the scale 0 to 100."""

    frame_accuracy: float
    macro_f1: float  # mean over the labels that occur, however seldom each does
    num_examples: int  # frames that count
    signature: str

    def to_dict(self) -> dict[str, float | int | str]:
        """The fields by name, as `evaluate --format json` prints them."""
        return dataclasses.asdict(self)


def score_frames(
    predicted: np.ndarray, true: np.ndarray, mask: np.ndarray | None = None, *, num_labels: int
) -> FrameScores:
    """Scores the labels of frames; those of several videos are scored as one long one.

    Macro-F1 is the mean F1 over all labels that are true or predicted somewhere, so that a label that is predicted but
    never true counts as 0, and one that is neither does not count. This is what scikit-learn's `f1_score` gives by
    default.

    Args:
      predicted: int, any shape, such as [F] or [B, F]; labels from 0.
      true: int, the same shape.
      mask: bool, the same shape, True where a frame counts (neither padding nor unlabelled).
      num_labels: L.

    Raises:
      DataError: different shapes, a label outside 0 to L - 1, or no frame that counts.
    """
    return frame_scores(confusion_matrix(predicted, true, mask, num_labels=num_labels))


def frame_scores(matrix: np.ndarray) -> FrameScores:
    """Scores frames that are counted already, in the int [L, L] of `confusion_matrix`; see `score_frames`."""
    num_right, num_predicted, num_true = matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)
    f1 = [
        f1_of_counts(int(right), int(found), int(there))
        for right, found, there in zip(num_right, num_predicted, num_true, strict=True)
        if found or there
    ]
    return FrameScores(
        frame_accuracy=float(100 * num_right.sum() / matrix.sum()),
        macro_f1=float(np.mean(f1)),
        num_examples=int(matrix.sum()),
        signature=f"frames:pooled|labels:{len(matrix)}|macro-f1:over-{len(f1)}-labels-true-or-predicted",
    )
