"""How many clips get the right label, and how far to trust that number."""

import dataclasses
import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist

import numpy as np

from ostinato.errors import ConfigError, DataError
from ostinato.metrics.bootstrap import bootstrap_interval


@dataclasses.dataclass(frozen=True)
class ClipScores:
    """Accuracy on the scale 0 to 100, with its confidence interval."""

    accuracy: float
    interval: tuple[float, float] | None  # None where all clips belong to one group
    num_examples: int  # clips
    signature: str

    def to_dict(self, name: str = "accuracy") -> dict[str, float | int | str | list[float] | None]:
        """The fields by name, as `evaluate --format json` prints them.

        Args:
          name: of the accuracy, such as "clip_accuracy"; the interval is then `clip_accuracy_interval`.
        """
        return {
            name: self.accuracy,
            f"{name}_interval": None if self.interval is None else list(self.interval),
            "num_examples": self.num_examples,
            "signature": self.signature,
        }


def score_clips(
    predicted: Sequence[Hashable] | np.ndarray,
    true: Sequence[Hashable] | np.ndarray,
    groups: Sequence[Hashable] | np.ndarray | None = None,
    *,
    confidence: float = 0.95,
    num_samples: int = 1000,
    seed: int = 0,
) -> ClipScores:
    """Scores one label a clip.

    Args:
      predicted: N labels, as numbers or names.
      true: N labels.
      groups: of each clip, the person or place or recording that it comes from. Clips of a group are right or wrong
        together, so that the interval is that of drawing other groups (bootstrap); without groups, clips are
        independent and the interval is Wilson's. From fewer than some ten groups it is rather too narrow.
      confidence: of the interval, between 0 and 1.
      num_samples: of the bootstrap.
      seed: of the bootstrap.

    Returns:
      the accuracy. Where it is the same in every group, drawing groups cannot tell how far they differ: the interval is
      Wilson's with as many examples as groups. One group alone has no interval.

    Raises:
      DataError: no clips, or different lengths.
      ConfigError: a confidence outside 0 to 1.

    Reference: Wilson 1927; Field and Welsh 2007 (cluster bootstrap).
    """
    if len(predicted) != len(true) or (groups is not None and len(groups) != len(true)):
        counts = f"{len(predicted)} predicted and {len(true)} true labels"
        raise DataError(
            f"There are {counts}{'' if groups is None else f' and {len(groups)} groups'}; give one of each for a clip."
        )
    right = np.array([found == there for found, there in zip(predicted, true, strict=True)], np.float64)
    if not right.size:
        raise DataError("There are no clips to score; give at least one.")
    accuracy = 100.0 * float(right.mean())
    interval: tuple[float, float] | None
    if groups is None:
        interval, note = wilson_interval(int(right.sum()), right.size, confidence=confidence), "wilson"
    else:
        interval, note = _group_interval(100.0 * right, groups, confidence, num_samples, seed)
    return ClipScores(accuracy, interval, right.size, f"clips:{right.size}|interval:{note},{100 * confidence:g}%")


def wilson_interval(num_right: float, total: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a share of independent examples.

    Args:
      num_right: examples that are right; need not be whole.
      total: examples, at least 1.
      confidence: between 0 and 1.

    Returns:
      lower and upper end, 0 to 100.

    Raises:
      DataError: no examples, or more right than there are.
      ConfigError: a confidence outside 0 to 1.

    Reference: Wilson 1927.
    """
    if not 0.0 < confidence < 1.0:
        raise ConfigError(f"A confidence lies between 0 and 1, such as 0.95; it is {confidence}.")
    if not 0 <= num_right <= total or total < 1:
        raise DataError(f"A share of {num_right} right among {total} examples has no interval; give 1 example or more.")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = num_right / total
    centre = share + z**2 / (2 * total)
    half_width = z * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    scale = 100.0 / (1 + z**2 / total)
    # At shares of 0 and 1 one end is exact, but for rounding.
    return max(0.0, scale * (centre - half_width)), min(100.0, scale * (centre + half_width))


def _group_interval(
    scores: np.ndarray, groups: Sequence[Hashable] | np.ndarray, confidence: float, num_samples: int, seed: int
) -> tuple[tuple[float, float] | None, str]:
    by_group: dict[Hashable, list[float]] = {}
    for group, score in zip(groups, scores, strict=True):
        by_group.setdefault(group, []).append(score)
    if len(by_group) == 1:
        return None, "absent (one group)"
    means = {float(np.mean(each)) for each in by_group.values()}
    if len(means) == 1:
        share = means.pop() / 100
        interval = wilson_interval(share * len(by_group), len(by_group), confidence=confidence)
        return interval, f"wilson-of-{len(by_group)}-groups"
    interval = bootstrap_interval(scores, groups, confidence=confidence, num_samples=num_samples, seed=seed)
    return interval, f"bootstrap-of-{len(by_group)}-groups,bs:{num_samples},seed:{seed}"
