"""Below which confidence it is better to say nothing."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from ostinato.errors import ConfigError
from ostinato.metrics.calibration import check_confidences


@dataclasses.dataclass(frozen=True)
class AbstainThreshold:
    """An answer is given where its confidence is at least the threshold."""

    threshold: float  # 0 to 1, as confidences are
    precision: float  # of the answers given, the share that is right, 0 to 100
    coverage: float  # of all examples, the share that is answered, 0 to 100


def abstain_threshold(
    confidences: Sequence[float] | np.ndarray, correct: Sequence[bool] | np.ndarray, *, precision: float
) -> AbstainThreshold | None:
    """Finds the threshold that answers most while the answers are right often enough.

    Args:
      confidences: float [N], 0 to 1, of validation examples that chose nothing else.
      correct: bool [N], whether each answer is right.
      precision: the least share of answers that must be right, 0 to 100, such as 95.

    Returns:
      the threshold (0 where every answer may be given), or None where no threshold gives that precision.

    Raises:
      DataError: no examples, different lengths, or a confidence outside 0 to 1.
      ConfigError: a precision outside 1 to 100.
    """
    if not 1.0 < precision <= 100.0:
        raise ConfigError(f"A precision is a percentage above 1, such as 95; it is {precision}.")
    confidences, correct = check_confidences(confidences, correct)
    order = np.argsort(-confidences, kind="stable")
    ordered, num_right = confidences[order], np.cumsum(correct[order])
    num_answers = np.arange(1, len(ordered) + 1)
    # Equal confidences are answered together or not at all.
    is_last_of_equals = np.append(ordered[1:] < ordered[:-1], True)
    enough = np.flatnonzero(is_last_of_equals & (100.0 * num_right >= precision * num_answers))
    if not enough.size:
        return None
    last = int(enough[-1])
    return AbstainThreshold(
        threshold=_between(ordered, last),
        precision=float(100 * num_right[last] / num_answers[last]),
        coverage=float(100 * num_answers[last] / len(ordered)),
    )


def _between(ordered: np.ndarray, last: int) -> float:
    """The middle between the least confidence answered and the next, where rounding to float32 changes no answer."""
    if last == len(ordered) - 1:
        return 0.0
    middle = (ordered[last] + ordered[last + 1]) / 2
    return float(middle if middle > ordered[last + 1] else ordered[last])
