"""Beam search that writes no n-gram twice, on a language small enough to list."""

import keras
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import BeamOptions, beam_search

only_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="shows a TensorFlow graph")


def score(sentence):
    return sentence.log_prob / ((5 + len(sentence.ids)) / 6) ** 0.6


def repeats(ids, n):
    ngrams = [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]
    return len(ngrams) > len(set(ngrams))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_without_repeats_wide_beams_find_the_best_sentences_that_repeat_nothing(toy_language, search, written, seed, n):
    language = toy_language(seed)
    allowed = [sentence for sentence in language.finished(language.max_length) if not repeats(sentence.ids, n)]
    best = sorted(allowed, key=score, reverse=True)[:7]
    found = search(language, width=language.everything, num_results=7, no_repeat_ngram=n)
    assert written(found) == [sentence.ids for sentence in best]
    assert_allclose(found.scores[0], [score(sentence) for sentence in best], rtol=1e-5)


@only_tensorflow
def test_the_caller_of_a_graph_chooses_what_is_not_repeated(toy_language, search):
    import tensorflow as tf

    language = toy_language(1)

    @tf.function(autograph=False, reduce_retracing=True)
    def graph(state, memory, n):
        options = BeamOptions(width=7, num_results=7, max_length=language.max_length, no_repeat_ngram=n)
        return beam_search(
            language.step, state, memory, options, control=language.control, num_places=language.num_places
        )

    for n in range(4):
        chosen = graph(*language.start(), tf.constant(n))
        assert_array_equal(chosen.ids, search(language, width=7, num_results=7, no_repeat_ngram=n).ids)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_long_sentences_repeat_no_ngram(toy_language, search, written, n):
    language = toy_language(4, batch=3, num_words=17, end=-9.0)

    def dull_step(tokens, state, table, going=None):
        """Would go on forever writing the same two words in turn."""
        log_probs, attention, next_state = language.step(tokens, state, table)
        favoured = ops.one_hot(4 + (state.position % 2), language.vocabulary)
        return log_probs - 5 * (1 - favoured), attention, next_state

    def best(n):
        found = search(language, step=dull_step, width=3, num_results=3, max_length=15, no_repeat_ngram=n)
        return [ids for item in range(3) for ids in written(found, item)]

    assert any(repeats(ids, n) for ids in best(0))
    assert not any(repeats(ids, n) for ids in best(n))
