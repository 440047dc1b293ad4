import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import BeamOptions, beam_search


def score(language, sentence, exponent, beta, item=0):
    covered = np.minimum(language.coverage(sentence.ids, item), 1.0)
    return sentence.log_prob / ((5 + len(sentence.ids)) / 6) ** exponent + beta * np.log(covered).sum()


def ranked(language, sentences, exponent, beta, item=0):
    return sorted(sentences, key=lambda sentence: score(language, sentence, exponent, beta, item), reverse=True)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("exponent", "beta"), [(0.6, 0.2), (0.0, 2.0)])
def test_wide_beams_find_what_listing_every_sentence_finds(
    attentive_toy_language, search, written, seed, exponent, beta
):
    language = attentive_toy_language(seed, num_places=(3,))
    sentences = language.finished(language.max_length)
    best = ranked(language, sentences, exponent, beta)[:7]
    assert best != ranked(language, sentences, exponent, 0.0)[:7]
    found = search(language, width=language.everything, num_results=7, length_penalty=exponent, coverage_penalty=beta)
    assert written(found) == [sentence.ids for sentence in best]
    expected = [score(language, sentence, exponent, beta) for sentence in best]
    assert_allclose(found.scores[0], expected, rtol=1e-5)
    assert_allclose(found.log_probs[0], [sentence.log_prob for sentence in best], rtol=1e-5)


def test_places_of_padding_do_not_count(attentive_toy_language, search, written):
    language = attentive_toy_language(3, batch=3, num_places=(2, 5, 3))
    options = {"width": language.everything, "num_results": 5, "coverage_penalty": 0.7}
    found = search(language, inputs={"places_mask": language.places_mask}, **options)
    for item in range(3):
        best = ranked(language, language.finished(language.max_length, item=item), 0.6, 0.7, item)[:5]
        assert written(found, item) == [sentence.ids for sentence in best]
        expected = [score(language, sentence, 0.6, 0.7, item) for sentence in best]
        assert_allclose(found.scores[item], expected, rtol=1e-5)
    unmasked = search(language, **options)
    assert np.all(unmasked.scores[[0, 2]] < found.scores[[0, 2]] - 1)
    assert_allclose(unmasked.scores[1], found.scores[1], rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_stopping_early_changes_nothing(attentive_toy_language, search, seed):
    language = attentive_toy_language(seed, batch=3, num_places=(5, 3, 2), end=2.0)
    options = {"width": 5, "max_length": 9, "coverage_penalty": 0.5, "inputs": {"places_mask": language.places_mask}}
    early = search(language, num_results=1, **options)
    # Asking for every result keeps the search going until nothing can overtake the last of them.
    late = search(language, num_results=5, **options)
    assert_array_equal(early.ids[:, 0], late.ids[:, 0])
    assert_allclose(early.scores[:, 0], late.scores[:, 0], rtol=1e-6)


def test_the_search_goes_on_while_a_longer_sentence_may_cover_more(attentive_toy_language, search, written):
    """A sentence of one word is far more probable than one of two, which alone looks at all three places."""
    language = attentive_toy_language(4)
    probabilities = np.full((language.max_length, language.vocabulary), 1e-9, "float32")
    probabilities[0, 4] = 1.0
    probabilities[1, [language.control.end, 4]] = 0.9, 0.1
    probabilities[2:, language.control.end] = 1.0

    def step(tokens, state, memory, going=None):
        _, _, next_state = language.step(tokens, state, memory)
        looked = 0.01 + 0.97 * ops.one_hot(state.position, 3)
        return ops.take(np.log(probabilities), state.position, axis=0), looked, next_state

    short, long = np.log(0.9) + np.log([0.99, 0.99, 0.02]).sum(), np.log(0.1)
    assert long + np.log(0.02) < short < long  # not better before it has looked at the third place, but then
    found = search(language, step=step, width=3, length_penalty=0.0, coverage_penalty=1.0)
    assert written(found) == [(4, 4, 2)]
    assert_allclose(found.scores[0, 0], long, atol=1e-4)


def test_unfinished_sentences_are_scored_by_what_they_cover_too(attentive_toy_language, search, written):
    language = attentive_toy_language(5)
    found = search(language, width=5, num_results=3, min_length=language.max_length, coverage_penalty=0.4)
    assert_array_equal(found.lengths, language.max_length)
    expected = [score(language, language.sentence(ids), 0.6, 0.4) for ids in written(found)]
    assert_allclose(found.scores[0], expected, rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="shows a TensorFlow graph")
def test_the_weight_may_be_a_tensor_of_a_graph(attentive_toy_language, search):
    import tensorflow as tf

    language = attentive_toy_language(6, batch=3, num_places=(3, 5, 2))
    mask = tf.constant(language.places_mask)

    @tf.function(autograph=False)
    def graph(state, memory, beta):
        options = BeamOptions(width=5, num_results=3, max_length=language.max_length, coverage_penalty=beta)
        return beam_search(
            language.step, state, memory, options, control=language.control, num_places=5, places_mask=mask
        )

    for beta in (0.0, 0.5):
        found = graph(*language.start(), tf.constant(beta))
        inputs = {"places_mask": language.places_mask}
        expected = search(language, width=5, num_results=3, coverage_penalty=beta, inputs=inputs)
        assert_array_equal(found.ids, expected.ids)
        assert_allclose(found.scores, expected.scores, rtol=1e-6)
