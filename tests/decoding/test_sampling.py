import functools
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import Hypotheses, SamplingOptions, greedy_search, sample
from ostinato.decoding.sampling import keep_probable

NUM_PLACES = 3
MAX_LENGTH = 7
NUM_DRAWS = 4000


@functools.cache
def sampling_with(step, control, options):
    def run(state, table, noise):
        """Takes its chances float [T, B, N, V] as they come."""
        return sample(
            step,
            state,
            table,
            options,
            control=control,
            num_places=NUM_PLACES,
            uniform=lambda position, shape: ops.take(noise, position, axis=0),
        )

    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(run)
    return run


def draw(language, seed=0, **options) -> Hypotheses:
    chosen = SamplingOptions(**{"max_length": MAX_LENGTH, **options})
    shape = (chosen.max_length, len(language.table), chosen.num_results, language.vocabulary)
    noise = np.random.default_rng(seed).random(shape, dtype="float32")
    found = sampling_with(language.step, language.control, chosen)(*language.start(), noise)
    return Hypotheses(*(ops.convert_to_numpy(part) for part in found))


def greedy(language) -> Hypotheses:
    state, table = language.start()
    found = greedy_search(
        language.step, state, table, control=language.control, num_places=NUM_PLACES, max_length=MAX_LENGTH
    )
    return Hypotheses(*(ops.convert_to_numpy(part) for part in found))


def distribution(language, temperature=1.0):
    """What the first word of a sentence is drawn from: float [V]."""
    probabilities = np.exp(language.table[0, language.contexts([4])[0]] / temperature)
    probabilities[[0, 1, 2, 3]] = 0  # no sentence begins with its end
    return probabilities / probabilities.sum()


def frequencies(language, **options):
    found = draw(language, num_results=NUM_DRAWS, max_length=1, **options)
    return np.bincount(found.ids[0, :, 0], minlength=language.vocabulary) / NUM_DRAWS


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_words_are_drawn_as_often_as_they_are_probable(toy_language, temperature):
    language = toy_language(0, num_words=5)
    expected = distribution(language, temperature)
    observed = frequencies(language, temperature=temperature)
    assert_array_equal(observed[expected == 0], 0)
    words = expected > 0
    chi_square = NUM_DRAWS * np.sum((observed[words] - expected[words]) ** 2 / expected[words])
    assert chi_square < 18.5  # 4 degrees of freedom: one seed in a thousand gives more


def test_only_the_k_most_probable_words_are_drawn_and_as_often_as_they_are_probable(toy_language):
    language = toy_language(1, num_words=7)
    probable = np.argsort(-distribution(language))[:3]
    observed = frequencies(language, top_k=3)
    assert set(np.flatnonzero(observed)) == set(probable)
    expected = distribution(language)[probable]
    assert_allclose(observed[probable], expected / expected.sum(), atol=0.03)


def test_only_the_smallest_set_that_reaches_probability_p_is_drawn(toy_language):
    language = toy_language(2, num_words=7)
    descending = np.sort(distribution(language))[::-1]
    p = float(descending[:3].sum() + descending[:4].sum()) / 2  # 3 words do not reach it, 4 do
    probable = np.argsort(-distribution(language))[:4]
    assert set(np.flatnonzero(frequencies(language, top_p=p))) == set(probable)


def test_top_p_counts_among_what_top_k_leaves():
    probabilities = np.array([0.1, 0.4, 0.2, 0.3], dtype="float32")
    kept = ops.convert_to_numpy(keep_probable(ops.log(probabilities), 3, 0.7))  # of 0.9 that 3 tokens have
    assert_array_equal(kept > -1e8, [False, True, False, True])


def test_nothing_is_cut_off_by_default():
    logits = ops.log_softmax(np.linspace(0, -30, 35, dtype="float32")[None])
    assert_array_equal(keep_probable(logits, 0, 1.0), logits)


@pytest.mark.parametrize("options", [{"temperature": 1e-4}, {"temperature": 0.0}, {"top_k": 1}, {"top_p": 1e-6}])
def test_sampling_without_chance_is_greedy(toy_language, options):
    language = toy_language(3, batch=5, num_words=7)
    expected = greedy(language)
    found = draw(language, num_results=3, **options)
    for n in range(3):
        assert_array_equal(found.ids[:, n], expected.ids[:, 0])
        assert_allclose(found.log_probs[:, n], expected.log_probs[:, 0], rtol=1e-6)


def test_greedy_takes_the_most_probable_token_at_every_step(toy_language):
    language = toy_language(4, batch=3, num_words=7, end=1.0)
    found = greedy(language)
    for item in range(3):
        ids = found.ids[item, 0, : found.lengths[item, 0]].tolist()
        for position, context in enumerate(language.contexts(ids)):
            allowed = language.table[item, context].copy()
            allowed[[0, 1, 3]] = -np.inf
            if position == 0:
                allowed[language.control.end] = -np.inf
            assert ids[position] == allowed.argmax()
        assert_allclose(found.log_probs[item, 0], language.log_prob(ids, item), rtol=1e-5)


def test_samples_come_with_their_log_probability_and_attention_best_first(toy_language):
    language = toy_language(5, batch=3, num_words=5)
    found = draw(language, num_results=9, temperature=2.0, top_k=4)
    assert np.all(np.diff(found.log_probs, axis=1) <= 0)
    assert_array_equal(found.scores, found.log_probs)
    for item in range(3):
        for n in range(9):
            length = found.lengths[item, n]
            ids = found.ids[item, n, :length].tolist()
            assert_allclose(found.log_probs[item, n], language.log_prob(ids, item), rtol=1e-5)
            assert_array_equal(found.attention[item, n, :length], language.attention(ids))
            assert not found.attention[item, n, length:].any()
            assert not found.ids[item, n, length:].any()


def test_a_seed_repeats_its_samples_and_another_gives_others(toy_language):
    language = toy_language(6, num_words=7)
    first, again, other = (draw(language, seed, num_results=5) for seed in (1, 1, 2))
    assert_array_equal(first.ids, again.ids)
    assert np.any(first.ids != other.ids)


def test_samples_keep_to_the_lengths_asked_for(toy_language):
    language = toy_language(7, batch=3, end=3.0)
    found = draw(language, num_results=25, min_length=3, max_length=5)
    assert set(found.lengths.flatten().tolist()) == {4, 5}  # the end token included
    ends = found.ids == language.control.end
    assert not ends[:, :, :3].any()
    assert_array_equal(ends.any(axis=-1), ends.argmax(axis=-1) == found.lengths - 1)


def test_banned_tokens_are_never_drawn(toy_language):
    language = toy_language(8)
    language.table[:, :, [0, 1, 3]] = 0.0  # as probable as can be
    found = draw(language, num_results=99, temperature=5.0)
    drawn = found.ids[np.arange(MAX_LENGTH) < found.lengths[:, :, None]]
    assert set(drawn.tolist()) == {2, 4, 5, 6}


def test_inputs_may_have_starts_and_greatest_lengths_of_their_own(toy_language):
    language = toy_language(10, batch=3, num_words=7, end=-9.0)
    starts, limits = [1, 5, 3], [3, MAX_LENGTH, 1]
    state, table = language.start()
    settings: dict[str, Any] = {
        "control": language.control,
        "num_places": NUM_PLACES,
        "start_tokens": np.array(starts),
        "max_lengths": np.array(limits),
    }
    noise = np.random.default_rng(0).random((MAX_LENGTH, 3, 1, language.vocabulary), dtype="float32")
    written = {
        "greedy": greedy_search(language.step, state, table, max_length=MAX_LENGTH, **settings),
        "sampled": sample(
            language.step,
            state,
            table,
            SamplingOptions(max_length=MAX_LENGTH),
            uniform=lambda position, shape: ops.take(noise, position, axis=0),
            **settings,
        ),
    }
    assert_array_equal(written["greedy"].lengths[:, 0], limits)
    for found in written.values():
        for item, (start, limit) in enumerate(zip(starts, limits, strict=True)):
            length = int(found.lengths[item, 0])
            ids = ops.convert_to_numpy(found.ids)[item, 0]
            assert length <= limit
            assert not ids[length:].any()
            assert not ops.convert_to_numpy(found.attention)[item, 0, length:].any()
            expected = language.log_prob(ids[:length].tolist(), item, start)
            assert_allclose(found.log_probs[item, 0], expected, rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="shows a TensorFlow graph")
def test_options_may_be_tensors_of_a_graph(toy_language):
    import tensorflow as tf

    language = toy_language(9, batch=3, num_words=5)
    noise = np.random.default_rng(0).random((MAX_LENGTH, 3, 5, language.vocabulary), dtype="float32")

    @tf.function(autograph=False)
    def graph(state, table, *numbers):
        return sample(
            language.step,
            state,
            table,
            SamplingOptions(*numbers),
            control=language.control,
            num_places=NUM_PLACES,
            uniform=lambda position, shape: noise_tensor[position],
        )

    noise_tensor = tf.constant(noise)
    for numbers in ((5, 0.7, 3, 0.8, 1, 7), (5, 1.5, 0, 1.0, 2, 5)):
        found = graph(*language.start(), *(tf.constant(number) for number in numbers))
        expected = sampling_with(language.step, language.control, SamplingOptions(*numbers))(*language.start(), noise)
        assert_array_equal(found.ids, expected.ids)
        assert_allclose(found.scores, expected.scores, rtol=1e-6)
    assert graph.experimental_get_tracing_count() == 1
