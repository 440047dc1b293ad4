import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.layers import RunningAttentionPooling

numbers = np.random.default_rng(7)


def make_pooling():
    pooling = RunningAttentionPooling()
    pooling.build((None, None, 3))
    pooling.energy.kernel.assign(numbers.normal(0, 0.1, (3, 1)))
    return pooling


def read(pooling, values, parts=1, mask=None):
    """Returns the averages [B, F, D] and weights [B, F] of a stream read in parts, and its sums."""
    sums = [np.zeros((len(values), size), np.float32) for size in (3, 1)]
    masks = [None] * parts if mask is None else np.split(mask, parts, axis=1)
    pooled, weights = [], []
    for part, kept in zip(np.split(values, parts, axis=1), masks, strict=True):
        average, weight, *sums = map(ops.convert_to_numpy, pooling(part, *sums, kept))
        pooled.append(average)
        weights.append(weight)
    return np.concatenate(pooled, axis=1), np.concatenate(weights, axis=1), sums


def averages(values, weights):
    """The weighted averages up to and with each frame, in float64."""
    weights = weights.astype("float64")[:, :, None]
    return np.cumsum(weights * values, axis=1) / np.cumsum(weights, axis=1)


@pytest.mark.parametrize("parts", [1, 15])
def test_averages_of_long_streams_are_exact_far_from_zero_too(parts):
    values = numbers.normal([0, 3, -50], 1, (2, 60_000, 3)).astype("float32")
    pooled, weights, _ = read(make_pooling(), values, parts)
    assert_allclose(pooled, averages(values, weights), rtol=1e-4, atol=1e-4)


def test_the_sums_are_those_of_weights_and_of_weighted_values():
    values = numbers.normal(1, 1, (2, 12, 3)).astype("float32")
    _, weights, (weighted_sum, weight_sum) = read(make_pooling(), values, parts=3)
    assert_allclose(weight_sum[:, 0], weights.sum(axis=1), rtol=1e-5)
    assert_allclose(weighted_sum, (weights[:, :, None] * values).sum(axis=1), rtol=1e-4)


def test_frames_that_are_masked_at_the_beginning_leave_no_trace_whatever_they_hold():
    values = numbers.normal(size=(1, 6, 3)).astype("float32")
    values[:, :2] = 1e6
    mask = np.array([[False, False, True, True, False, True]])
    pooling = make_pooling()
    pooled, weights, sums = read(pooling, values, mask=mask)
    assert_array_equal(pooled[:, :2], 0)
    assert_array_equal(weights[~mask], 0)
    alone, _, own_sums = read(pooling, values[:, [2, 3, 5]])
    assert_allclose(pooled[:, [2, 3, 5]], alone, rtol=1e-5)
    for masked, own in zip(sums, own_sums, strict=True):
        assert_allclose(masked, own, rtol=1e-5)
