import keras
import numpy as np
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import BeamOptions, ControlTokens, beam_search
from ostinato.layers import AttentionDecoder, EncoderDecoder

CONTROL = ControlTokens(start=1, end=2)
numbers = np.random.default_rng(3)
INPUTS = numbers.normal(size=(3, 5, 6)).astype("float32")
TARGET_IDS = numbers.integers(3, 13, (3, 2, 7), dtype="int32")


def make_model(encoder=None):
    keras.utils.set_random_seed(4)
    model = EncoderDecoder(encoder, AttentionDecoder(13, embedding_size=3, units=7, attention_units=5))
    model((INPUTS, TARGET_IDS))
    for weight in model.weights:
        weight.assign(numbers.normal(0, 0.7, weight.shape))
    return model


def test_encoding_and_stepping_give_what_the_whole_model_gives():
    model = make_model(keras.layers.Dense(4))
    forced = ops.convert_to_numpy(ops.log_softmax(model((INPUTS, TARGET_IDS)), axis=-1))
    memory = model.encode(INPUTS)
    state = model.initial_state(memory, 2)
    for position in range(7):
        log_probs, attention, state = model.step(TARGET_IDS[:, :, position], state, memory)
        assert_allclose(log_probs, forced[:, :, position], atol=1e-5)
        assert tuple(attention.shape) == (3, 2, 5)


def test_features_computed_beforehand_give_what_the_encoder_gives():
    encoder = keras.layers.Dense(4)
    whole = make_model(encoder)
    rest = EncoderDecoder(None, whole.decoder)
    features = encoder(INPUTS)
    assert_array_equal(rest((features, TARGET_IDS)), whole((INPUTS, TARGET_IDS)))


def test_built_from_shapes_it_has_the_weights_that_a_call_makes():
    called = make_model(keras.layers.Dense(4))
    built = EncoderDecoder(keras.layers.Dense(4), AttentionDecoder(13, embedding_size=3, units=7, attention_units=5))
    built.build(((None, 5, 6), (None, None, None)))
    assert [weight.shape for weight in built.weights] == [weight.shape for weight in called.weights]
    built.set_weights(called.get_weights())
    assert_allclose(built((INPUTS, TARGET_IDS)), called((INPUTS, TARGET_IDS)), atol=1e-6)


def test_beam_search_scores_sentences_as_teacher_forcing_does():
    model = make_model()
    memory = model.encode(INPUTS)
    found = beam_search(
        model.step,
        model.initial_state(memory),
        memory,
        BeamOptions(width=3, num_results=3, max_length=7),
        control=CONTROL,
        num_places=5,
    )
    ids = ops.convert_to_numpy(found.ids)
    start = np.full((3, 3, 1), CONTROL.start, dtype="int32")
    logits = model((INPUTS, np.concatenate([start, ids[:, :, :-1]], axis=2)))
    log_probs = np.take_along_axis(ops.convert_to_numpy(ops.log_softmax(logits, axis=-1)), ids[..., None], axis=-1)
    expected = np.sum(log_probs[..., 0] * (ids != CONTROL.pad), axis=-1)
    assert_allclose(found.log_probs, expected, rtol=1e-4)
