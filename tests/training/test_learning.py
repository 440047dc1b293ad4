"""Layers, loss, optimizer, fitting and decoding together: do they learn?"""

import math

import keras
import numpy as np
import pytest

from ostinato.decoding import ControlTokens, greedy_search
from ostinato.layers import AttentionDecoder, EncoderDecoder
from ostinato.training import (
    BEST_WEIGHTS,
    SmoothedCrossEntropy,
    averaged_weights,
    feed_epochs,
    fit_resumably,
    load_weights,
    make_optimizer,
)

PAD, START, END, VOCABULARY = 0, 1, 2, 11
LENGTHS = (3, 7, 4, 6, 5)
UPDATES, EPOCHS = 30, 5


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(len(LENGTHS), 3, 4)).astype(np.float32)  # [B, S, D]


@pytest.fixture
def targets():
    """Random sequences of different lengths, each with its end, then padding: int32 [B, 1, T]."""
    generator = np.random.default_rng(1)
    rows = [[*generator.integers(3, VOCABULARY, size=length - 1), END] for length in LENGTHS]
    return np.array([[[*row, *[PAD] * (max(LENGTHS) - len(row))]] for row in rows], np.int32)


def entropy(smoothing):
    """Nats a token that not even the best prediction of the smoothed targets goes below."""
    of_target, of_other = 1 - smoothing + smoothing / VOCABULARY, smoothing / VOCABULARY
    return -of_target * math.log(of_target) - (VOCABULARY - 1) * of_other * math.log(of_other)


def test_random_sequences_are_learned_by_heart_and_written_again(features, targets, tmp_path):
    keras.utils.set_random_seed(0)
    decoder = AttentionDecoder(
        VOCABULARY, embedding_size=12, units=24, attention_units=8, dropout=0.0, memory_dropout=0.0
    )
    model = EncoderDecoder(None, decoder)
    model.build(((None, None, 4), (None, None, None)))
    optimizer = make_optimizer(learning_rate=0.03, num_updates=UPDATES * EPOCHS, warmup_updates=9, averaging=0.8)
    model.compile(optimizer, SmoothedCrossEntropy(0.1))
    read = np.concatenate([np.full_like(targets[:, :, :1], START), targets[:, :, :-1]], axis=2)
    batch = ((features, read), targets, (targets != PAD).astype(np.float32))

    def write():
        memory = model.encode(features)
        control = ControlTokens(start=START, end=END, pad=PAD)
        state = model.initial_state(memory)
        ids = greedy_search(model.step, state, memory, control=control, num_places=3, max_length=max(LENGTHS)).ids
        return keras.ops.convert_to_numpy(ids)

    def share_right():
        return 100.0 * float((write() == targets).mean())

    assert share_right() < 50.0
    progress = fit_resumably(
        model,
        feed_epochs(lambda epoch: iter([batch] * UPDATES)),
        lambda: {"right": share_right()},
        tmp_path,
        epochs=EPOCHS,
        score="right",
    )

    assert progress.history[0]["loss"] > entropy(0.1) + 0.3
    with averaged_weights(model):
        loss = model.evaluate(batch[0], batch[1], sample_weight=batch[2], verbose=0)
    assert entropy(0.1) - 1e-4 < loss < entropy(0.1) + 0.05
    assert progress.best_score == 100.0
    load_weights(tmp_path / BEST_WEIGHTS, model)
    assert write().tolist() == targets.tolist()
