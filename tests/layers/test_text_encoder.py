import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.layers import AttentionDecoder, EncoderDecoder, TextEncoder

numbers = np.random.default_rng(5)
SENTENCE = numbers.integers(1, 13, (1, 7), dtype="int32")


def make_encoder(num_layers=2):
    keras.utils.set_random_seed(6)
    encoder = TextEncoder(13, embedding_size=3, units=5, num_layers=num_layers)
    encoder.build((None, None))
    for weight in encoder.weights:
        weight.assign(numbers.normal(0, 0.7, weight.shape))
    return encoder


def read(encoder, source_ids):
    return ops.convert_to_numpy(encoder(source_ids))


def pad(source_ids, length):
    return np.pad(source_ids, [(0, 0), (0, length - source_ids.shape[1])])


@pytest.mark.parametrize("num_layers", [1, 3])
def test_padding_changes_nothing_of_what_is_said_of_a_sentence(num_layers):
    encoder = make_encoder(num_layers)
    expected = read(encoder, SENTENCE)
    assert expected.shape == (1, 7, 10)
    assert_allclose(read(encoder, pad(SENTENCE, 11))[:, :7], expected, atol=1e-6)


def test_every_place_is_seen_from_every_other():
    encoder = make_encoder(num_layers=1)
    before = read(encoder, SENTENCE)
    for place in range(7):
        changed = SENTENCE.copy()
        changed[0, place] = changed[0, place] % 12 + 1
        differs = np.abs(read(encoder, changed) - before)[0] > 1e-6  # -> [S, 2 * units]
        assert np.all(np.any(differs[place:, :5], axis=1)), "read forwards, it matters to what follows"
        assert not np.any(differs[:place, :5])
        assert np.all(np.any(differs[: place + 1, 5:], axis=1)), "read backwards, to what stands before"
        assert not np.any(differs[place + 1 :, 5:])


def test_each_direction_is_an_lstm_over_the_sentence():
    encoder = make_encoder(num_layers=1)
    vectors = ops.convert_to_numpy(encoder.embedding(SENTENCE)) * 3**0.5
    forward = ops.convert_to_numpy(encoder.forward_lstms[0](vectors))
    backward = ops.convert_to_numpy(encoder.backward_lstms[0](vectors[:, ::-1]))[:, ::-1]
    assert_allclose(read(encoder, SENTENCE), np.concatenate([forward, backward], axis=-1), atol=1e-6)


def test_the_mask_keeps_what_is_no_padding():
    encoder = make_encoder()
    assert_array_equal(encoder.compute_mask(pad(SENTENCE, 9)), [[True] * 7 + [False] * 2])


def test_a_shared_embedding_is_one_weight_that_both_read():
    encoder = TextEncoder(13, embedding_size=3, units=5)
    model = EncoderDecoder(encoder, AttentionDecoder(13, embedding_size=3, units=7), share_embedding=True)
    model.build(((None, None), (None, None, None)))
    assert encoder.embedding is model.decoder.embedding
    assert len({weight.path for weight in model.weights}) == len(model.weights)
    before = read(encoder, SENTENCE)
    model.decoder.embedding.embeddings.assign(numbers.normal(size=(13, 3)))
    assert np.all(np.any(read(encoder, SENTENCE) != before, axis=-1))


def test_a_model_of_text_never_looks_at_padding():
    model = EncoderDecoder(make_encoder(), AttentionDecoder(13, embedding_size=3, units=7))
    target_ids = numbers.integers(1, 13, (1, 2, 4), dtype="int32")
    expected = ops.convert_to_numpy(model((SENTENCE, target_ids)))
    assert_allclose(model((pad(SENTENCE, 12), target_ids)), expected, atol=1e-5)
