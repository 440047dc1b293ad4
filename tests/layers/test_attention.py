import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.layers import AdditiveAttention, Memory, MultiplicativeAttention, masked_softmax
from ostinato.layers.vocabulary import VocabularyLayer

ATTENTIONS = [AdditiveAttention, MultiplicativeAttention]
numbers = np.random.default_rng(1)
QUERY = numbers.normal(size=(2, 3, 7)).astype("float32")
VALUES = numbers.normal(size=(2, 5, 4)).astype("float32")
MASK = np.array([[True, True, False, True, False], [False, True, True, True, True]])

both = pytest.mark.parametrize("attention", ATTENTIONS, ids=lambda attention: attention.__name__)


def attend(layer, query=QUERY, values=VALUES, mask=None):
    context, weights = layer(query, layer.remember(values, mask))
    return ops.convert_to_numpy(context), ops.convert_to_numpy(weights)


def softmax(x):
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def numbers_of(weight):
    return ops.convert_to_numpy(weight + 0.0)


def matrices(layer):
    query, key = layer.query_projection, layer.key_projection
    return numbers_of(query.kernel), numbers_of(key.kernel), numbers_of(key.bias)


@both
def test_weights_sum_to_one_over_the_kept_places_and_are_zero_elsewhere(attention):
    _, weights = attend(attention(11), mask=MASK)
    assert weights.shape == (2, 3, 5)
    assert_allclose(weights.sum(axis=-1), 1, rtol=1e-6)
    kept = np.broadcast_to(MASK[:, None, :], weights.shape)
    assert_array_equal(weights[~kept], 0)
    assert np.all(weights[kept] > 0)


@both
def test_the_context_is_the_weighted_mean_of_the_values(attention):
    context, weights = attend(attention(11), mask=MASK)
    assert_allclose(context, weights @ VALUES, rtol=1e-5, atol=1e-6)


@both
def test_what_is_masked_cannot_be_seen(attention):
    layer = attention(11)
    changed = np.where(MASK[:, :, None], VALUES, 99.0).astype("float32")
    for expected, found in zip(attend(layer, mask=MASK), attend(layer, values=changed, mask=MASK), strict=True):
        assert_allclose(found, expected, rtol=1e-6)


@both
def test_the_keys_are_projected_once_for_any_numbers_of_queries(attention):
    layer, calls = attention(11), []
    layer.key_projection.build(VALUES.shape)
    project = layer.key_projection.call

    def counted(values):
        calls.append(values)
        return project(values)

    layer.key_projection.call = counted
    memory = layer.remember(VALUES)
    for step in range(3):
        layer(QUERY[:, step : step + 1], memory)
    assert len(calls) == 1


@both
def test_queries_one_by_one_see_what_they_see_together(attention):
    layer = attention(11)
    together = attend(layer, mask=MASK)
    for step in range(3):
        alone = attend(layer, query=QUERY[:, step : step + 1], mask=MASK)
        assert_allclose(alone[0][:, 0], together[0][:, step], rtol=1e-5, atol=1e-6)
        assert_allclose(alone[1][:, 0], together[1][:, step], rtol=1e-5, atol=1e-6)


def test_additive_attention_follows_its_formula():
    layer = AdditiveAttention(11)
    _, weights = attend(layer)
    query_matrix, key_matrix, key_bias = matrices(layer)
    scale = numbers_of(layer.scale)
    expected = np.empty((2, 3, 5))
    for item in range(2):
        for step in range(3):
            for place in range(5):
                compared = QUERY[item, step] @ query_matrix + VALUES[item, place] @ key_matrix + key_bias
                expected[item, step, place] = np.tanh(compared) @ scale[:, 0]
    assert_allclose(weights, softmax(expected), rtol=1e-5)


def test_multiplicative_attention_follows_its_formula():
    layer = MultiplicativeAttention(11)
    _, weights = attend(layer)
    query_matrix, key_matrix, key_bias = matrices(layer)
    expected = np.empty((2, 3, 5))
    for item in range(2):
        for step in range(3):
            for place in range(5):
                key = VALUES[item, place] @ key_matrix + key_bias
                expected[item, step, place] = (QUERY[item, step] @ query_matrix) @ key / np.sqrt(11)
    assert_allclose(weights, softmax(expected), rtol=1e-5)


def test_a_softmax_over_no_place_is_uniform_and_no_nan():
    weights = masked_softmax(ops.convert_to_tensor(QUERY), np.zeros((2, 7), dtype=bool))
    assert_allclose(weights, np.full((2, 3, 7), 1 / 7), rtol=1e-6)


def test_weights_are_float32_whatever_the_energies_are():
    energy = ops.cast(QUERY, "bfloat16")
    weights = masked_softmax(energy, None)
    assert keras.backend.standardize_dtype(weights.dtype) == "float32"
    assert_allclose(ops.convert_to_numpy(weights).sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("masked", [True, False])
def test_the_memory_of_some_inputs_is_that_of_them_alone(masked):
    generator = np.random.default_rng(0)
    keys, values = (ops.convert_to_tensor(generator.normal(size=(4, 3, 2))) for _ in range(2))
    mask = ops.convert_to_tensor(generator.random((4, 3)) < 0.5) if masked else None
    vocabulary = VocabularyLayer(ops.ones((2, 5)), ops.ones(5))
    some = Memory(keys, values, mask, vocabulary).choose(ops.convert_to_tensor([3, 1]))
    assert_array_equal(ops.convert_to_numpy(some.keys), ops.convert_to_numpy(keys)[[3, 1]])
    assert_array_equal(ops.convert_to_numpy(some.values), ops.convert_to_numpy(values)[[3, 1]])
    if masked:
        assert_array_equal(ops.convert_to_numpy(some.mask), ops.convert_to_numpy(mask)[[3, 1]])
    else:
        assert some.mask is None
    assert some.vocabulary is vocabulary  # of all inputs
