"""Whether a confidence of 80 % is right 80 % of the time."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from ostinato.errors import ConfigError, DataError

NUM_BINS = 15  # Guo et al. 2017, section 5


@dataclasses.dataclass(frozen=True)
class ReliabilityBin:
    """The examples whose confidence lies above `lower` and not above `upper` (the first bin has 0 too)."""

    lower: float  # 0 to 1, as confidences are
    upper: float
    count: int
    confidence: float  # mean, 0 to 100; 0 in an empty bin
    accuracy: float  # 0 to 100; 0 in an empty bin


@dataclasses.dataclass(frozen=True)
class CalibrationScores:
    """How far confidence and accuracy differ, on the scale 0 to 100; lower is better."""

    ece: float  # expected calibration error
    num_examples: int
    signature: str
    bins: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, float | int | str]:
        """The fields by name, without the bins, as `evaluate --format json` prints them."""
        return {"ece": self.ece, "num_examples": self.num_examples, "signature": self.signature}


def score_calibration(
    confidences: Sequence[float] | np.ndarray, correct: Sequence[bool] | np.ndarray, *, num_bins: int = NUM_BINS
) -> CalibrationScores:
    """Compares confidence with accuracy in bins of equal width.

    Args:
      confidences: float [N], 0 to 1, the probability of the label that was chosen.
      correct: bool [N], whether it is right.
      num_bins: M.

    Returns:
      the expected calibration error: the mean over bins of |accuracy - confidence|, weighted by their examples.

    Raises:
      DataError: no examples, different lengths, or a confidence outside 0 to 1.
      ConfigError: no bins.

    Reference: Guo et al. 2017, equation 3.
    """
    confidences, correct = check_confidences(confidences, correct)
    if num_bins < 1:
        raise ConfigError(f"Calibration needs at least one bin; num_bins is {num_bins}.")
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    places = np.digitize(confidences, edges[1:-1], right=True)  # -> [N], 0 to M - 1
    counts, confidence_sums, right_sums = (
        np.bincount(places, weights, minlength=num_bins) for weights in (None, confidences, correct.astype(np.float64))
    )
    bins = tuple(
        ReliabilityBin(
            lower=float(edges[number]),
            upper=float(edges[number + 1]),
            count=int(count),
            confidence=float(100 * confidence_sums[number] / max(count, 1)),
            accuracy=float(100 * right_sums[number] / max(count, 1)),
        )
        for number, count in enumerate(counts)
    )
    error = 100 * float(np.abs(right_sums - confidence_sums).sum()) / len(confidences)
    return CalibrationScores(error, len(confidences), f"ece:{num_bins}-equal-bins,top-label", bins)


def reliability_table(bins: Sequence[ReliabilityBin]) -> str:
    """Writes the bins that hold examples as lines of text, below a line of headings; all values are per cent."""
    lines = ["confidence   examples   mean  right    gap"]
    for each in bins:
        if each.count:
            limits = f"{100 * each.lower:4.1f}-{100 * each.upper:5.1f}"
            gap = each.accuracy - each.confidence
            lines.append(f"{limits}  {each.count:9d}  {each.confidence:5.1f}  {each.accuracy:5.1f}  {gap:+5.1f}")
    return "\n".join(lines)


def check_confidences(
    confidences: Sequence[float] | np.ndarray, correct: Sequence[bool] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns both as float64 [N] and bool [N].

    Raises:
      DataError: no examples, different lengths, or a confidence outside 0 to 1.
    """
    values, right = np.asarray(confidences, np.float64), np.asarray(correct, bool)
    if values.ndim != 1 or values.shape != right.shape:
        raise DataError(
            f"Confidences of shape {values.shape} do not go with answers of shape {right.shape}; give one of each for "
            "every example."
        )
    if not values.size:
        raise DataError("There are no confidences to score; give at least one.")
    # Sums of float32 probabilities may pass 1 by their rounding.
    wrong = values[~((values >= 0.0) & (values <= 1.0 + 1e-5))]
    if wrong.size:
        raise DataError(f"A confidence lies between 0 and 1; one is {wrong[0]}.")
    return np.minimum(values, 1.0), right
