"""How far a mean over examples would move with other examples."""

from collections.abc import Hashable, Sequence

import numpy as np

from ostinato.errors import ConfigError, DataError


def bootstrap_interval(
    values: Sequence[float] | np.ndarray,
    groups: Sequence[Hashable] | np.ndarray | None = None,
    *,
    confidence: float = 0.95,
    num_samples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Confidence interval of the mean of `values`, such as those of `cider_d_each`.

    Args:
      values: float [N], one an example.
      groups: of each example, the group (person, place, recording) that it belongs to. Groups are then drawn whole,
        as many as there are, since examples of one group are not independent.
      confidence: the share of resampled means that lie inside, between 0 and 1.
      num_samples: how many times N examples are drawn, with replacement.
      seed: the same seed gives the same interval.

    Returns:
      lower and upper end, in the unit of the values.

    Raises:
      DataError: no values, or another number of groups than of values.
      ConfigError: a confidence outside 0 to 1.

    Reference: Koehn 2004, section 3 (percentile bootstrap); Field and Welsh 2007 (of groups).
    """
    examples = np.asarray(values, np.float64)
    if examples.size == 0:
        raise DataError("An interval needs at least one value; none was given.")
    if not 0.0 < confidence < 1.0:
        raise ConfigError(f"A confidence lies between 0 and 1, such as 0.95; it is {confidence}.")
    generator = np.random.default_rng(seed)
    if groups is None:
        means = [generator.choice(examples, examples.size).mean() for _ in range(num_samples)]
    else:
        sums, counts = _sums_of_groups(examples, groups)
        draws = (generator.integers(sums.size, size=sums.size) for _ in range(num_samples))
        means = [sums[drawn].sum() / counts[drawn].sum() for drawn in draws]
    lower, upper = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(lower), float(upper)


def _sums_of_groups(examples: np.ndarray, groups: Sequence[Hashable] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sum of the values of each group, and their number, both float64 [groups]."""
    if len(groups) != examples.size:
        raise DataError(f"There are {len(groups)} groups for {examples.size} values; give as many.")
    numbers: dict[Hashable, int] = {}
    places = [numbers.setdefault(group, len(numbers)) for group in groups]
    return np.bincount(places, examples), np.bincount(places).astype(np.float64)
