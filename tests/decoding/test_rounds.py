"""A search that goes on without the inputs that are done."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import BeamOptions, beam_search

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="sizes depend on values")

LIMITS = np.array([3, 9, 6, 9, 4, 3, 8, 5], "int32")


def search_of(language, step=None, pruning=0.0, **inputs):
    state, memory = language.start()
    return beam_search(
        step or language.step,
        state,
        memory,
        BeamOptions(width=4, num_results=2, max_length=9, coverage_penalty=0.2, pruning=pruning),
        control=language.control,
        num_places=language.num_places,
        places_mask=ops.convert_to_tensor(language.places_mask),
        max_lengths=LIMITS,
        **inputs,
    )


@pytest.fixture
def language(attentive_toy_language):
    return attentive_toy_language(3, batch=len(LIMITS), num_places=(3, 1, 2, 3, 3, 2, 1, 3), end=-99.0)


def test_inputs_that_are_done_are_stepped_no_more(language, choose_inputs):
    rows = []

    def step(tokens, state, memory, going=None):
        rows.append(len(tokens))
        return language.step(tokens, state, memory)

    search_of(language, step, choose_inputs=choose_inputs)
    # Sentences that never end are as long as they may be. A round ends when half of its inputs are done.
    assert rows == [8, 8, 8, 8, 8, 4, 4, 4, 2]


def test_beams_that_can_win_no_more_are_not_going(language, choose_inputs):
    going = []

    def step(tokens, state, memory, *told):
        going.extend(told)
        return language.step(tokens, state, memory, *told)

    search_of(language, step, choose_inputs=choose_inputs)
    counts = [ops.convert_to_numpy(each).sum(axis=1).tolist() for each in going]
    # All have four beams that live from the second step on, and three words to begin with. None that is done goes on.
    assert counts[0] == [3] * 8
    for position, (count, limits) in enumerate(zip(counts[1:4], [LIMITS] * 3, strict=True), start=2):
        assert count == [4 if limit > position else 0 for limit in limits]
    number = sum(ops.convert_to_numpy(each).sum() for each in going)
    going.clear()
    search_of(language, step, choose_inputs=choose_inputs, pruning=0.2)
    assert sum(ops.convert_to_numpy(each).sum() for each in going) < 0.6 * number
    assert all(ops.convert_to_numpy(each).any() for each in going)


@pytest.mark.parametrize("pruning", [0.0, 0.5])
def test_what_is_found_is_the_same(language, choose_inputs, pruning):
    everything = search_of(language, pruning=pruning)
    remaining = search_of(language, pruning=pruning, choose_inputs=choose_inputs)
    assert_array_equal(everything.ids, remaining.ids)
    for name in ("scores", "log_probs", "attention"):
        assert_allclose(getattr(everything, name), getattr(remaining, name), rtol=1e-6, err_msg=name)


def test_a_graph_may_have_any_number_of_inputs(language, choose_inputs):
    import tensorflow as tf

    start, memory = language.start()
    state = type(start)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, 1], tf.int32)] * 2)
    def graph(context, position):
        rows = tf.range(tf.shape(context)[0])
        options = BeamOptions(width=3, num_results=2, max_length=5)
        found = beam_search(
            language.step,
            state(context, position),
            choose_inputs(memory, rows),
            options,
            control=language.control,
            num_places=language.num_places,
            choose_inputs=choose_inputs,
        )
        return found.ids, found.scores

    for number in (8, 1, 0):
        ids, scores = graph(*(part[:number] for part in start))
        assert ids.shape == (number, 2, 5)
        assert np.isfinite(scores).all()
