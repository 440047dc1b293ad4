import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.layers import Shortlist
from ostinato.layers.vocabulary import VocabularyLayer

numbers = np.random.default_rng(7)
VECTORS = ops.convert_to_tensor(numbers.normal(size=(9, 4)).astype("float32"))
BIAS = ops.convert_to_tensor(numbers.normal(size=9).astype("float32"))
OUTPUTS = ops.convert_to_tensor(numbers.normal(size=(5, 4)).astype("float32"))
INPUTS = ops.convert_to_tensor(np.array([0, 0, 1, 1, 1], "int32"))
ALLOWED = np.zeros((2, 9), bool)
ALLOWED[0, [0, 2, 7]] = ALLOWED[1, [0, 3, 7, 8]] = True

needs_sizes_of_values = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="sizes depend on values")


def test_without_a_shortlist_logits_are_of_all_tokens():
    layer = VocabularyLayer.of(VECTORS, BIAS, 0.5, None)
    assert_allclose(layer.logits(OUTPUTS), (OUTPUTS @ ops.transpose(VECTORS) + BIAS) / 0.5, rtol=1e-5)
    assert_allclose(layer.log_probs(OUTPUTS, INPUTS), ops.log_softmax(layer.logits(OUTPUTS)), rtol=1e-5)
    assert layer.choose(INPUTS) is layer
    assert layer.of_all(INPUTS) is INPUTS


@needs_sizes_of_values
def test_each_input_writes_as_if_there_were_no_tokens_but_its_own():
    shortlist = Shortlist.of(ops.convert_to_tensor(ALLOWED))
    assert_array_equal(shortlist.token_ids, [0, 2, 3, 7, 8])
    layer = VocabularyLayer.of(VECTORS, BIAS, 0.5, shortlist)
    found = ops.convert_to_numpy(layer.log_probs(OUTPUTS, INPUTS))
    logits = ops.convert_to_numpy(VocabularyLayer.of(VECTORS, BIAS, 0.5, None).logits(OUTPUTS))
    for row, item in enumerate(ops.convert_to_numpy(INPUTS)):
        own = np.flatnonzero(ALLOWED[item])
        expected = logits[row, own] - np.log(np.exp(logits[row, own]).sum())
        assert_allclose(found[row, ALLOWED[item][shortlist.token_ids]], expected, rtol=1e-5)
        assert (found[row, ~ALLOWED[item][shortlist.token_ids]] < -1e6).all()


@needs_sizes_of_values
def test_tokens_have_numbers_on_the_shortlist_and_come_back():
    shortlist = Shortlist.of(ops.convert_to_tensor(ALLOWED))
    layer = VocabularyLayer.of(VECTORS, BIAS, 1.0, shortlist)
    tokens = ops.convert_to_tensor(np.array([[7, 0], [3, 8]], "int32"))
    short = shortlist.numbers(tokens, 9)
    assert_array_equal(short, [[3, 0], [2, 4]])
    assert_array_equal(layer.of_all(short), tokens)


@needs_sizes_of_values
def test_the_layer_of_some_inputs_is_that_of_them_alone():
    layer = VocabularyLayer.of(VECTORS, BIAS, 1.0, Shortlist.of(ops.convert_to_tensor(ALLOWED)))
    alone = layer.choose(ops.convert_to_tensor([1]))
    first = ops.zeros(3, "int32")
    assert_array_equal(alone.log_probs(OUTPUTS[2:], first), layer.log_probs(OUTPUTS, INPUTS)[2:])


@needs_sizes_of_values
def test_no_input_leaves_out_no_token():
    assert_array_equal(Shortlist.of(ops.zeros((0, 9), "bool")).token_ids, np.arange(9))
