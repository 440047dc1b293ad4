"""What the inputs of a batch need not have in common: start tokens, beginnings, greatest lengths."""

import itertools

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import BeamOptions, beam_search

START, END, BANNED = 1, 2, 3


def ranked(sentences, exponent=0.6):
    return sorted(sentences, key=lambda s: s.log_prob / ((5 + len(s.ids)) / 6) ** exponent, reverse=True)


def test_each_input_may_begin_with_a_token_of_its_own(toy_language, search, written):
    language = toy_language(0, batch=3)
    found = search(language, width=language.everything, num_results=3, inputs={"start_tokens": [5, START, BANNED]})
    for item, start in enumerate([5, START, BANNED]):
        best = ranked(language.finished(5, item=item, start=start))[:3]
        assert written(found, item) == [sentence.ids for sentence in best]
        assert_allclose(found.log_probs[item], [sentence.log_prob for sentence in best], rtol=1e-5)


PREFIXES = [(4,), (), (6, 5, 4)]
PADDED = [[4, 0, 0], [0, 0, 0], [6, 5, 4]]


def test_the_best_sentences_that_begin_as_given_are_found(toy_language, search, written):
    language = toy_language(1, batch=3)
    found = search(language, width=language.everything, num_results=3, inputs={"prefix": PADDED})
    for item, prefix in enumerate(PREFIXES):
        beginning = [s for s in language.finished(5, item=item) if s.ids[: len(prefix)] == prefix]
        best = ranked(beginning)[:3]
        assert written(found, item) == [sentence.ids for sentence in best]
        assert_allclose(found.log_probs[item], [sentence.log_prob for sentence in best], rtol=1e-5)
        for ids, attention in zip(written(found, item), found.attention[item], strict=True):
            assert_array_equal(attention[: len(ids)], language.attention(ids))


def test_no_rule_forbids_what_is_given(toy_language, search, written):
    language = toy_language(2)
    found = search(
        language, width=5, num_results=3, max_length=9, no_repeat_ngram=1, inputs={"prefix": [[BANNED, 4, 4]]}
    )
    for ids, log_prob in zip(written(found), found.log_probs[0], strict=True):
        assert ids[:3] == (BANNED, 4, 4)
        assert 4 not in ids[3:]  # but then the rule holds, for what was given too
        assert_allclose(log_prob, language.log_prob(ids), rtol=1e-5)


def test_a_whole_sentence_comes_back_alone_with_its_score(toy_language, search, written):
    language = toy_language(3, batch=3)
    sentences = [(4, 6, END), (END,), (5, 5, 5, 4, END)]
    padded = list(zip(*itertools.zip_longest(*sentences, fillvalue=0), strict=True))
    found = search(language, width=3, num_results=3, max_length=7, length_penalty=0.9, inputs={"prefix": padded})
    for item, ids in enumerate(sentences):
        expected = language.log_prob(ids, item)
        assert written(found, item) == [ids, (), ()]
        assert_allclose(found.log_probs[item, 0], expected, rtol=1e-5)
        assert_allclose(found.scores[item, 0], expected / ((5 + len(ids)) / 6) ** 0.9, rtol=1e-5)
        assert_array_equal(found.attention[item, 0, : len(ids)], language.attention(ids))
        assert np.all(found.log_probs[item, 1:] <= -1e9)


def test_a_prefix_of_no_columns_forces_nothing(toy_language, search):
    language = toy_language(4, batch=3)
    found = search(language, width=5, num_results=3, inputs={"prefix": np.zeros((3, 0), "int32")})
    assert_array_equal(found.ids, search(language, width=5, num_results=3).ids)


def test_no_sentence_is_longer_than_its_own_greatest_length(toy_language, search, written):
    language = toy_language(5, batch=3, end=-2.0)
    limits = [4, 1, 9]
    found = search(language, width=language.everything, num_results=3, inputs={"max_lengths": limits})  # of 5 at most
    for item, limit in enumerate([4, 1, 5]):
        finished, unfinished = language.finished(limit, item=item), language.unfinished(limit, item)
        best = (ranked(finished) + ranked(unfinished))[:3]
        assert written(found, item) == [sentence.ids for sentence in best]


@pytest.mark.parametrize(("exponent", "end"), [(1.0, -3.0), (-0.5, 1.0)])
def test_each_input_alone_finds_what_it_finds_in_a_batch(attentive_toy_language, search, written, exponent, end):
    language = attentive_toy_language(6, batch=4, num_places=(3, 5, 2, 4), num_words=7, end=end)
    limits, starts = [9, 2, 5, 1], [START, 5, 9, BANNED]
    prefixes = [(4, 5), (), (7, 8, 9, BANNED), (10,)]
    padded = np.zeros((4, 4), "int32")
    for item, prefix in enumerate(prefixes):
        padded[item, : len(prefix)] = prefix
    options = {"width": 5, "num_results": 3, "length_penalty": exponent, "coverage_penalty": 0.3}
    inputs = {
        "start_tokens": starts,
        "prefix": padded,
        "max_lengths": limits,
        "places_mask": language.places_mask,
    }
    together = search(language, max_length=9, inputs=inputs, **options)
    for item, (limit, start, prefix) in enumerate(zip(limits, starts, prefixes, strict=True)):
        inputs = {"start_tokens": [start], "prefix": np.array([prefix], "int32").reshape(1, -1)}
        alone = search(language, slice(item, item + 1), max_length=limit, inputs=inputs, **options)
        num_places = alone.attention.shape[-1]
        assert written(alone) == written(together, item)
        assert_allclose(alone.scores[0], together.scores[item], rtol=1e-5)
        assert_allclose(alone.log_probs[0], together.log_probs[item], rtol=1e-5)
        assert_allclose(alone.attention[0], together.attention[item, :, :limit, :num_places], rtol=1e-5)
        assert not together.ids[item, :, limit:].any()
        assert not together.attention[item, :, limit:].any()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="counts the steps of a loop outside of graphs")
def test_the_search_stops_when_all_inputs_are_as_long_as_they_may_be(toy_language):
    language = toy_language(7, batch=3, end=-99.0)
    steps = []

    def step(tokens, state, table, going=None):
        steps.append(tokens)
        return language.step(tokens, state, table)

    def count(**inputs):
        steps.clear()
        state, table = language.start()
        options = BeamOptions(width=3, num_results=3, max_length=15)
        beam_search(step, state, table, options, control=language.control, num_places=3, **inputs)
        return len(steps)

    assert count(max_lengths=np.array([3, 5, 2])) == 5
    assert count(prefix=np.array([[4, END, 0], [4, 5, END], [END, 0, 0]])) == 3  # nothing may follow
    assert count() == 15


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="shows a TensorFlow graph")
def test_what_inputs_have_of_their_own_may_have_any_size_in_a_graph(toy_language, search):
    import tensorflow as tf

    language = toy_language(8, batch=3)
    integers = tf.TensorSpec([None], tf.int32)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, None], tf.int32), integers, integers])
    def graph(prefix, starts, limits):
        state, table = language.start()
        options = BeamOptions(width=5, num_results=3, max_length=tf.reduce_max(limits))
        return beam_search(
            language.step,
            state,
            table,
            options,
            control=language.control,
            num_places=3,
            start_tokens=starts,
            prefix=prefix,
            max_lengths=limits,
        )

    for prefix in (PADDED, np.zeros((3, 0), "int32")):
        inputs = {"prefix": prefix, "start_tokens": [1, 5, 6], "max_lengths": [4, 3, 7]}
        found = graph(tf.constant(prefix, tf.int32), [1, 5, 6], [4, 3, 7])
        expected = search(language, width=5, num_results=3, max_length=7, inputs=inputs)
        assert_array_equal(found.ids, expected.ids)
        assert_allclose(found.scores, expected.scores, rtol=1e-6)
