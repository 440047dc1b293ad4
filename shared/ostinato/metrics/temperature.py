"""One number that makes the probabilities of a trained network honest."""

import numpy as np

from ostinato.errors import ConfigError, DataError

LEAST_TEMPERATURE, GREATEST_TEMPERATURE = 0.01, 100.0
_NUM_HALVINGS = 60  # of an interval of 9.2 in log space: far below the rounding of the result


def fit_temperature(logits: np.ndarray, true: np.ndarray) -> float:
    """Finds the temperature T for which softmax(logits / T) has the least negative log-likelihood.

    The loss is convex in 1 / T, so that its slope is followed to 0 by bisection; the label that is chosen never
    changes. Fit it on validation data that chose nothing else.

    Args:
      logits: float [N, L], of validation examples, as the network gives them.
      true: int [N], labels from 0.

    Returns:
      T, above 1 for a network that is too sure. 1 where every label chosen is right, since the loss then falls for
      ever as T goes to 0, and nothing shows how sure is too sure. Between 0.01 and 100 in all cases.

    Raises:
      DataError: no examples, different lengths, a label outside 0 to L - 1, or a logit that is no finite number.

    Reference: Guo et al. 2017, section 4.2.
    """
    logits, true = _check_logits(logits, true)
    of_true = logits[np.arange(len(true)), true]  # -> [N]
    if (of_true == logits.max(axis=1)).all():
        return 1.0

    def slope(log_temperature: float) -> float:
        """Of the loss by 1 / T: the mean logit that the network expects, less that of the truth."""
        expected = (tempered_softmax(logits, np.exp(log_temperature)) * logits).sum(axis=1)
        return float((expected - of_true).mean())

    lower, upper = np.log(LEAST_TEMPERATURE), np.log(GREATEST_TEMPERATURE)
    for _ in range(_NUM_HALVINGS):
        middle = (lower + upper) / 2
        # A positive slope says that 1 / T is too great.
        lower, upper = (middle, upper) if slope(middle) > 0 else (lower, middle)
    return float(np.exp((lower + upper) / 2))


def tempered_softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities of labels.

    Args:
      logits: float [..., L].
      temperature: above 0; above 1 makes them less sure.

    Returns:
      float64 [..., L], which sum to 1.

    Raises:
      ConfigError: a temperature that is not above 0.
    """
    scaled = _scaled(np.asarray(logits, np.float64), temperature)
    weights = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def negative_log_likelihood(logits: np.ndarray, true: np.ndarray, temperature: float = 1.0) -> float:
    """Mean of -ln of the probability of the true label, in nats; arguments and errors as of `fit_temperature`."""
    logits, true = _check_logits(logits, true)
    scaled = _scaled(logits, temperature)
    highest = scaled.max(axis=1)
    log_sums = highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))  # -> [N]
    return float((log_sums - scaled[np.arange(len(true)), true]).mean())


def _scaled(logits: np.ndarray, temperature: float) -> np.ndarray:
    if not temperature > 0:
        raise ConfigError(f"A temperature is a number above 0, such as 1.5; it is {temperature}.")
    return logits / temperature


def _check_logits(logits: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    logits, true = np.asarray(logits, np.float64), np.asarray(true)
    if logits.ndim != 2 or true.shape != logits.shape[:1]:
        raise DataError(
            f"Logits of shape {logits.shape} do not go with labels of shape {true.shape}; give [N, labels] and [N]."
        )
    if not logits.size:
        raise DataError("There are no logits; give those of at least one example.")
    if not np.isfinite(logits).all():
        raise DataError("A logit is not a finite number; look for what overflowed in the network.")
    wrong = true[(true < 0) | (true >= logits.shape[1])]
    if wrong.size:
        raise DataError(f"Label {wrong[0]} is true, but the labels are 0 to {logits.shape[1] - 1}; leave it out.")
    return logits, true.astype(np.int64)
