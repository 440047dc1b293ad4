import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from ostinato.training import SmoothedCrossEntropy

SHAPE, VOCABULARY = (3, 2, 5), 7  # [B, K, T], V


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture
def logits(generator):
    return generator.normal(0.0, 3.0, size=(*SHAPE, VOCABULARY)).astype(np.float32)


@pytest.fixture
def targets(generator):
    return generator.integers(VOCABULARY, size=SHAPE).astype(np.int32)


@pytest.fixture
def weights(generator):
    return generator.integers(3, size=SHAPE).astype(np.float32)  # many zeros


def textbook(targets, logits, smoothing):
    """Cross entropy of softmax(logits) against (1 - smoothing) one-hot + smoothing / V, token by token."""
    logits = logits.astype(np.float64)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    wanted = (1.0 - smoothing) * np.eye(VOCABULARY)[targets] + smoothing / VOCABULARY
    return -(wanted * np.log(probabilities)).sum(axis=-1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_each_token_costs_what_the_textbook_says(targets, logits, smoothing):
    loss = SmoothedCrossEntropy(smoothing, reduction="none")(targets, logits)
    assert_allclose(loss, textbook(targets, logits, smoothing), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_mean_is_that_of_the_weighted_tokens(targets, logits, weights, smoothing):
    loss = SmoothedCrossEntropy(smoothing)(targets, logits, sample_weight=weights)
    expected = (textbook(targets, logits, smoothing) * weights).sum() / weights.sum()
    assert_allclose(loss, expected, rtol=1e-5)


def test_without_weights_all_tokens_count_alike(targets, logits):
    assert_allclose(SmoothedCrossEntropy(0.1)(targets, logits), textbook(targets, logits, 0.1).mean(), rtol=1e-5)


def test_rewards_are_averaged_over_places_whatever_their_sum(targets, logits, generator):
    rewards = generator.normal(size=SHAPE).astype(np.float32)
    rewards -= rewards.mean()  # their sum is 0, by which nothing could be divided
    loss = SmoothedCrossEntropy(reduction="sum_over_batch_size")(targets, logits, sample_weight=rewards)
    assert_allclose(loss, (textbook(targets, logits, 0.0) * rewards).mean(), rtol=1e-4)


def test_a_sum_is_a_sum(targets, logits, weights):
    loss = SmoothedCrossEntropy(0.2, reduction="sum")(targets, logits, sample_weight=weights)
    assert_allclose(loss, (textbook(targets, logits, 0.2) * weights).sum(), rtol=1e-5)


def test_padding_does_not_count(targets, logits, weights, generator):
    loss = SmoothedCrossEntropy(0.1)
    before = loss(targets, logits, sample_weight=weights)
    widths = [(0, 0), (0, 0), (0, 4)]
    more_logits = np.concatenate(
        [logits, generator.normal(0, 9, size=(3, 2, 4, VOCABULARY)).astype(np.float32)], axis=2
    )
    after = loss(np.pad(targets, widths), more_logits, sample_weight=np.pad(weights, widths))
    assert_allclose(after, before, rtol=1e-6)


def test_a_batch_of_nothing_but_padding_costs_nothing(targets, logits):
    assert float(SmoothedCrossEntropy(0.1)(targets, logits, sample_weight=np.zeros(SHAPE, np.float32))) == 0.0


def test_certainty_costs_more_than_the_smoothed_target_when_smoothing():
    logits = np.array([[[20.0, 0.0, 0.0]]], np.float32)
    targets = np.array([[0]], np.int32)
    assert float(SmoothedCrossEntropy(0.0)(targets, logits)) < 1e-6
    assert_allclose(SmoothedCrossEntropy(0.3)(targets, logits), 0.3 * 20 * 2 / 3, rtol=1e-5)


def test_half_precision_logits_are_summed_in_single_precision(targets, logits):
    halved = keras.ops.cast(logits, "bfloat16")
    loss = SmoothedCrossEntropy(0.1, reduction="none")(targets, halved)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    rounded = keras.ops.convert_to_numpy(keras.ops.cast(halved, "float32"))
    assert_allclose(loss, textbook(targets, rounded, 0.1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_temperature_flattens_what_is_compared(targets, logits, smoothing):
    loss = SmoothedCrossEntropy(smoothing, reduction="none", temperature=2.0)(targets, logits)
    assert_allclose(loss, textbook(targets, logits / 2, smoothing), rtol=1e-5, atol=1e-5)


def test_its_configuration_comes_back(targets, logits, weights):
    loss = SmoothedCrossEntropy(0.15, reduction="sum_over_batch_size", temperature=1.5, name="caption_loss")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert (again.smoothing, again.reduction, again.name) == (0.15, "sum_over_batch_size", "caption_loss")
    assert again.temperature == 1.5
    assert_allclose(again(targets, logits, sample_weight=weights), loss(targets, logits, sample_weight=weights))
