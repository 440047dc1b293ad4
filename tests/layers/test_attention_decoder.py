import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.layers import AttentionDecoder, Shortlist

VOCABULARY = 13
numbers = np.random.default_rng(2)
FEATURES = numbers.normal(size=(3, 5, 6)).astype("float32")
TARGET_IDS = numbers.integers(1, VOCABULARY, (3, 2, 7), dtype="int32")  # two sequences for each of three inputs
MASK = np.array([[True, True, True, False, False], [True, False, True, True, True], [True] * 5])

only_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="sizes depend on values")
both = pytest.mark.parametrize("attention", ["additive", "multiplicative"])


def make_decoder(attention="multiplicative"):
    decoder = AttentionDecoder(VOCABULARY, embedding_size=3, units=7, attention=attention, attention_units=5)
    decoder(TARGET_IDS, decoder.remember(FEATURES))
    for weight in decoder.weights:  # far enough from zero that everything counts
        weight.assign(numbers.normal(0, 0.7, weight.shape))
    return decoder


def log_softmax(logits):
    return ops.convert_to_numpy(ops.log_softmax(logits, axis=-1))


def step_through(decoder, target_ids, memory):
    """Returns log-probabilities [B, K, T, V] and attention [B, K, T, S]."""
    state, log_probs, attention = decoder.initial_state(memory, target_ids.shape[1]), [], []
    for position in range(target_ids.shape[2]):
        log_prob, weights, state = decoder.step(target_ids[:, :, position], state, memory)
        log_probs.append(ops.convert_to_numpy(log_prob))
        attention.append(ops.convert_to_numpy(weights))
    return np.stack(log_probs, axis=2), np.stack(attention, axis=2)


@both
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_stepping_through_a_target_gives_what_teacher_forcing_gives(attention, mask):
    decoder = make_decoder(attention)
    memory = decoder.remember(FEATURES, mask)
    forced = log_softmax(decoder(TARGET_IDS, memory))
    stepped, weights = step_through(decoder, TARGET_IDS, memory)
    assert_allclose(stepped, forced, atol=1e-5)
    assert weights.shape == (3, 2, 7, 5)
    assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)


@only_tensorflow
@both
def test_sequences_that_are_not_going_are_left_out(attention):
    decoder = make_decoder(attention)
    memory = decoder.remember(FEATURES, MASK)
    state = decoder.initial_state(memory, 2)
    going = np.array([[True, False], [False, False], [True, True]])
    whole = decoder.step(TARGET_IDS[:, :, 0], state, memory)
    some = decoder.step(TARGET_IDS[:, :, 0], state, memory, ops.convert_to_tensor(going))
    for of_all, of_some in zip(keras.tree.flatten(whole), keras.tree.flatten(some), strict=True):
        assert of_all.shape == of_some.shape
        assert_allclose(ops.convert_to_numpy(of_some)[going], ops.convert_to_numpy(of_all)[going], atol=1e-5)
        assert np.isfinite(of_some).all()


@only_tensorflow
def test_tokens_of_a_shortlist_are_written_as_if_there_were_no_others():
    decoder = make_decoder()
    allowed = np.zeros((3, VOCABULARY), bool)
    allowed[:, [2, 5, 6, 11]] = True
    allowed[1, 12] = True
    shortlist = Shortlist.of(ops.convert_to_tensor(allowed))
    memory, short = decoder.remember(FEATURES), decoder.remember(FEATURES, shortlist=shortlist)
    state = decoder.initial_state(memory, 2)
    tokens = np.array([[2, 5], [6, 11], [5, 5]], "int32")
    log_probs, attention, after = decoder.step(tokens, state, memory)
    found = decoder.step(shortlist.numbers(tokens, VOCABULARY), state, short)
    assert_allclose(found[1], attention, atol=1e-6)
    assert_allclose(found[2].output_hidden, after.output_hidden, atol=1e-6)
    for item in range(3):
        own = ops.convert_to_numpy(log_probs)[item][:, allowed[item]]
        listed = ops.convert_to_numpy(found[0])[item][:, ops.convert_to_numpy(shortlist.allowed)[item]]
        assert_allclose(listed, own - np.log(np.exp(own).sum(axis=-1, keepdims=True)), atol=1e-5)


@both
def test_sequences_of_one_input_do_not_influence_each_other(attention):
    decoder = make_decoder(attention)
    memory = decoder.remember(FEATURES)
    together = ops.convert_to_numpy(decoder(TARGET_IDS, memory))
    stepped, _ = step_through(decoder, TARGET_IDS, memory)
    for k in range(2):
        alone = TARGET_IDS[:, k : k + 1]
        assert_allclose(ops.convert_to_numpy(decoder(alone, memory))[:, 0], together[:, k], atol=1e-5)
        assert_allclose(step_through(decoder, alone, memory)[0][:, 0], stepped[:, k], atol=1e-5)


@both
def test_what_is_masked_in_the_memory_is_never_seen(attention):
    decoder = make_decoder(attention)
    changed = np.where(MASK[:, :, None], FEATURES, 99.0).astype("float32")
    expected = ops.convert_to_numpy(decoder(TARGET_IDS, decoder.remember(FEATURES, MASK)))
    found = ops.convert_to_numpy(decoder(TARGET_IDS, decoder.remember(changed, MASK)))
    assert_allclose(found, expected, atol=1e-5)
    _, weights = step_through(decoder, TARGET_IDS, decoder.remember(changed, MASK))
    assert_array_equal(weights[~np.broadcast_to(MASK[:, None, None, :], weights.shape)], 0)


def test_a_masked_memory_is_the_memory_without_what_is_masked():
    decoder = make_decoder()
    expected = ops.convert_to_numpy(decoder(TARGET_IDS, decoder.remember(FEATURES[:, :3])))
    mask = np.arange(5) < np.full((3, 1), 3)
    assert_allclose(decoder(TARGET_IDS, decoder.remember(FEATURES, mask)), expected, atol=1e-5)


def test_no_prediction_depends_on_tokens_that_come_later():
    decoder = make_decoder()
    memory = decoder.remember(FEATURES)
    changed = TARGET_IDS.copy()
    changed[:, :, 4:] = VOCABULARY - changed[:, :, 4:]
    expected, found = (ops.convert_to_numpy(decoder(ids, memory)) for ids in (TARGET_IDS, changed))
    assert_allclose(found[:, :, :4], expected[:, :, :4], atol=1e-6)
    assert np.all(np.any(found[:, :, 4] != expected[:, :, 4], axis=-1))


def test_dropout_acts_in_training_only():
    decoder = make_decoder()
    memory = decoder.remember(FEATURES)
    predicted, again, trained = (
        ops.convert_to_numpy(decoder(TARGET_IDS, memory, training=training)) for training in (False, False, True)
    )
    assert_array_equal(predicted, again)
    assert np.any(trained != predicted)
    dropped = ops.convert_to_numpy(decoder.remember(FEATURES, training=True).values)
    assert np.any(dropped != ops.convert_to_numpy(memory.values))


def test_a_temperature_divides_the_logits_of_all_that_is_written():
    plain = make_decoder()
    cold = AttentionDecoder.from_config({**plain.get_config(), "temperature": 0.5})
    cold(TARGET_IDS, cold.remember(FEATURES))
    cold.set_weights(plain.get_weights())
    logits = ops.convert_to_numpy(plain(TARGET_IDS, plain.remember(FEATURES)))
    memory = cold.remember(FEATURES)
    assert_allclose(ops.convert_to_numpy(cold(TARGET_IDS, memory)), 2 * logits, rtol=1e-4, atol=1e-5)
    assert_allclose(step_through(cold, TARGET_IDS, memory)[0], log_softmax(2 * logits), atol=1e-4)


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_a_temperature_that_nothing_can_be_divided_by_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature is above 0"):
        AttentionDecoder(VOCABULARY, temperature=temperature)


@both
def test_a_decoder_of_some_tokens_gives_them_the_logits_that_it_gave_them_before(attention):
    decoder = make_decoder(attention)
    kept = [0, 1, 4, 12, 7]
    some = decoder.with_vocabulary(kept)
    ids = numbers.integers(0, len(kept), (3, 2, 4))
    expected = ops.convert_to_numpy(decoder(np.take(kept, ids), decoder.remember(FEATURES)))
    memory = some.remember(FEATURES)
    assert_allclose(ops.convert_to_numpy(some(ids, memory)), expected[..., kept], rtol=1e-4, atol=1e-5)
    assert_allclose(step_through(some, ids, memory)[0], log_softmax(expected[..., kept]), atol=1e-4)
    assert some.vocabulary_size == 5
    assert decoder.vocabulary_size == VOCABULARY


def test_an_unknown_attention_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match=r"'cosine'.*additive, multiplicative"):
        AttentionDecoder(VOCABULARY, attention="cosine")
