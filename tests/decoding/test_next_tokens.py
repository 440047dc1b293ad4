import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import NextTokens, next_tokens

PREFIXES = [(5, 4), (), (6, 3, 4, 8)]
STARTS = [1, 5, 3]


def padded(prefixes, width=4):
    ids = np.zeros((len(prefixes), width), "int32")
    for item, prefix in enumerate(prefixes):
        ids[item, : len(prefix)] = prefix
    return ids


def expected(language, prefix, item, start, number):
    log_probs = language.table[item, language.contexts([*prefix, 2], start)[-1]].copy()
    log_probs[[0, 1, 3]] = -np.inf  # padding, the start and a banned token are no alternatives
    ids = np.argsort(-log_probs)[:number]
    return ids, log_probs[ids]


def find(language, prefix, number, **settings):
    state, table = language.start()
    found = next_tokens(language.step, state, table, prefix, control=language.control, num_results=number, **settings)
    return NextTokens(*(ops.convert_to_numpy(part) for part in found))


def test_the_most_probable_tokens_behind_each_prefix_are_found(toy_language):
    language = toy_language(0, batch=3, num_words=7)
    found = find(language, padded(PREFIXES), 5, start_tokens=STARTS)
    for item, (prefix, start) in enumerate(zip(PREFIXES, STARTS, strict=True)):
        ids, log_probs = expected(language, prefix, item, start, 5)
        assert_array_equal(found.ids[item], ids)
        assert_allclose(found.log_probs[item], log_probs, rtol=1e-5)


def test_the_end_is_an_alternative(toy_language):
    language = toy_language(1, num_words=3, end=5.0)
    assert find(language, padded([(4,)]), 3).ids[0, 0] == language.control.end


def test_without_any_prefix_the_first_tokens_are_compared(toy_language):
    language = toy_language(2, batch=3, num_words=7)
    found = find(language, np.zeros((3, 0), "int32"), 3)
    for item in range(3):
        assert_array_equal(found.ids[item], expected(language, (), item, 1, 3)[0])


def test_going_on_with_an_alternative_adds_its_log_probability(toy_language, search):
    language = toy_language(3)
    found = find(language, padded([(5,)]), 3)
    for token, log_prob in zip(found.ids[0], found.log_probs[0], strict=True):
        whole = search(language, width=3, max_length=2, inputs={"prefix": [[5, token]]})
        assert_array_equal(whole.ids[0, 0], [5, token])
        assert_allclose(whole.log_probs[0, 0], language.log_prob([5]) + log_prob, rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="shows a TensorFlow graph")
def test_prefixes_may_have_any_length_in_a_graph(toy_language):
    import tensorflow as tf

    language = toy_language(4, batch=3, num_words=7)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([], tf.int32)])
    def graph(prefix, number):
        state, table = language.start()
        return next_tokens(language.step, state, table, prefix, control=language.control, num_results=number)

    for prefix in (padded(PREFIXES), padded(PREFIXES, 7), np.zeros((3, 0), "int32")):
        plain = find(language, prefix, 3)
        found = graph(prefix, 3)
        assert_array_equal(found.ids, plain.ids)
        assert_allclose(found.log_probs, plain.log_probs, rtol=1e-6)
