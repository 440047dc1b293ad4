import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import BeamOptions, ControlTokens, beam_search
from ostinato.layers import AttentionDecoder, DecoderEnsemble, EncoderDecoder, ParallelDecoders, Shortlist

CONTROL = ControlTokens(start=1, end=2)
numbers = np.random.default_rng(7)
FEATURES = numbers.normal(size=(3, 5, 6)).astype("float32")
TARGET_IDS = numbers.integers(3, 13, (3, 4, 7), dtype="int32")


def decoder(units=7, vocabulary_size=13):
    return AttentionDecoder(vocabulary_size, embedding_size=3, units=units, attention_units=5)


@pytest.fixture
def decoders():
    """Two of different sizes, with weights far enough from zero that everything counts."""
    made = [decoder(7), decoder(4)]
    for one in made:
        one(TARGET_IDS, one.remember(FEATURES))
        for weight in one.weights:
            weight.assign(numbers.normal(0, 0.7, weight.shape))
    return made


def logits_alone(one, target_ids):
    return ops.convert_to_numpy(one(target_ids, one.remember(FEATURES)))


def test_decoders_side_by_side_read_sequences_of_their_own(decoders):
    parallel = ParallelDecoders(decoders)
    found = ops.convert_to_numpy(parallel(TARGET_IDS, parallel.remember(FEATURES)))
    first, second = (logits_alone(one, TARGET_IDS[:, 2 * n : 2 * n + 2]) for n, one in enumerate(decoders))
    assert_array_equal(found, np.concatenate([first, second], axis=1))


def test_an_ensemble_gives_the_mean_logits_of_its_decoders(decoders):
    ensemble = DecoderEnsemble(decoders)
    found = ensemble(TARGET_IDS, ensemble.remember(FEATURES))
    assert_allclose(found, sum(logits_alone(one, TARGET_IDS) for one in decoders) / 2, atol=1e-6)


def test_stepping_gives_what_the_whole_gives(decoders):
    ensemble = DecoderEnsemble(decoders)
    memory = ensemble.remember(FEATURES)
    forced = ops.convert_to_numpy(ops.log_softmax(ensemble(TARGET_IDS, memory), axis=-1))
    state = ensemble.initial_state(memory, 4)
    states = [one.initial_state(theirs, 4) for one, theirs in zip(decoders, memory.members, strict=True)]
    for position in range(TARGET_IDS.shape[2]):
        tokens = TARGET_IDS[:, :, position]
        log_probs, attention, state = ensemble.step(tokens, state, memory)
        assert_allclose(log_probs, forced[:, :, position], atol=1e-5)
        alone = [one.step(tokens, *both) for one, *both in zip(decoders, states, memory.members, strict=True)]
        assert_allclose(attention, (alone[0][1] + alone[1][1]) / 2, atol=1e-6)
        states = [step[2] for step in alone]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="sizes depend on values")
def test_sequences_that_are_not_going_are_left_out(decoders):
    ensemble = DecoderEnsemble(decoders)
    memory = ensemble.remember(FEATURES)
    state, tokens = ensemble.initial_state(memory, 4), TARGET_IDS[:, :, 0]
    going = np.random.default_rng(0).random((3, 4)) < 0.5
    whole, some = (ensemble.step(tokens, state, memory, each) for each in (None, ops.convert_to_tensor(going)))
    for of_all, of_some in zip(keras.tree.flatten(whole), keras.tree.flatten(some), strict=True):
        assert_allclose(ops.convert_to_numpy(of_some)[going], ops.convert_to_numpy(of_all)[going], atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="sizes depend on values")
def test_a_shortlist_is_that_of_all_its_decoders(decoders):
    ensemble = DecoderEnsemble(decoders)
    allowed = np.random.default_rng(1).random((3, 13)) < 0.5
    shortlist = Shortlist.of(ops.convert_to_tensor(allowed))
    memory, short = ensemble.remember(FEATURES), ensemble.remember(FEATURES, shortlist=shortlist).choose([2, 0])
    tokens = np.full((3, 1), int(shortlist.token_ids[0]))
    log_probs, _, _ = ensemble.step(tokens, ensemble.initial_state(memory), memory)
    found, _, _ = ensemble.step(tokens[:2] * 0, ensemble.initial_state(short), short)
    for row, item in enumerate([2, 0]):
        own = ops.convert_to_numpy(log_probs)[item, 0, allowed[item]]
        listed = ops.convert_to_numpy(found)[row, 0, allowed[item][shortlist.token_ids]]
        assert_allclose(listed, own - np.log(np.exp(own).sum()), atol=1e-5)


def test_an_ensemble_of_one_is_that_decoder(decoders):
    ensemble = DecoderEnsemble(decoders[:1])
    assert_array_equal(ensemble(TARGET_IDS, ensemble.remember(FEATURES)), logits_alone(decoders[0], TARGET_IDS))


def test_what_learned_side_by_side_writes_together(decoders):
    """Both layers hold the same decoders: what one trains, the other uses."""
    learning = EncoderDecoder(None, ParallelDecoders(decoders))
    writing = EncoderDecoder(None, DecoderEnsemble(decoders))
    before = ops.convert_to_numpy(writing((FEATURES, TARGET_IDS)))
    learning.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    learning.train_on_batch((FEATURES, TARGET_IDS), TARGET_IDS)
    assert np.abs(ops.convert_to_numpy(writing((FEATURES, TARGET_IDS))) - before).max() > 1e-3


@pytest.mark.parametrize("chosen", [[2], [0, 2]])
def test_inputs_can_be_chosen_from_the_memory(decoders, chosen):
    ensemble = DecoderEnsemble(decoders)
    memory = ensemble.remember(FEATURES)
    assert int(memory.num_places) == 5
    assert memory.mask is None
    some = memory.choose(ops.convert_to_tensor(chosen))
    expected = ops.convert_to_numpy(ensemble(TARGET_IDS, memory))[chosen]
    assert_allclose(ensemble(TARGET_IDS[chosen], some), expected, atol=1e-5)


def test_beam_search_finds_what_the_ensemble_thinks_of_it(decoders):
    model = EncoderDecoder(None, DecoderEnsemble(decoders))
    memory = model.encode(FEATURES)
    options = BeamOptions(width=3, num_results=3, max_length=7)
    found = beam_search(
        model.step, model.initial_state(memory), memory, options, control=CONTROL, num_places=memory.num_places
    )
    ids = ops.convert_to_numpy(found.ids)
    start = np.full((3, 3, 1), CONTROL.start, dtype="int32")
    log_probs = ops.log_softmax(model((FEATURES, np.concatenate([start, ids[:, :, :-1]], axis=2))), axis=-1)
    of_tokens = np.take_along_axis(ops.convert_to_numpy(log_probs), ids[..., None], axis=-1)[..., 0]
    assert_allclose(found.log_probs, np.sum(of_tokens * (ids != CONTROL.pad), axis=-1), rtol=1e-4)


@pytest.mark.parametrize("layer", [ParallelDecoders, DecoderEnsemble])
def test_decoders_that_cannot_work_together_are_refused(layer):
    with pytest.raises(ValueError, match="needs a decoder"):
        layer([])
    with pytest.raises(ValueError, match=r"these have \[13, 14\] pieces"):
        layer([decoder(), decoder(vocabulary_size=14)])
