from typing import Any, cast

import keras
import numpy as np
import pytest

from ostinato.text import END, PAD
from ostinato_translate.batches import ParallelBatches
from ostinato_translate.config import TrainConfig
from ostinato_translate.model import make_model
from ostinato_translate.run import Run
from ostinato_translate.self_critical import SelfCriticalSampler, self_critical_batches


@pytest.fixture(scope="module")
def numeral_run(prepared_numerals):
    return Run(prepared_numerals)


@pytest.fixture(scope="module")
def sampler(numeral_run):
    keras.utils.set_random_seed(2)
    config = TrainConfig(embedding_size=6, encoder_units=5, encoder_layers=1, units=7, attention_units=4)
    model = make_model(config, numeral_run.tokenizer.size)
    return SelfCriticalSampler(model, numeral_run.tokenizer, translations_per_sentence=3, temperature=0.9)


@pytest.fixture(scope="module")
def batch(numeral_run):
    """Sentences with their translations into two languages."""
    directions = [("en", "de"), ("en", "fr")]
    batches = ParallelBatches(numeral_run, directions, tokens_per_batch=150, epochs_per_pass=1, seed=1)
    return next(batch for batch in batches(0) if batch[1].shape[1] == 2)


def test_translations_into_every_language_are_drawn_for_every_sentence(sampler, batch, numeral_run):
    (source_ids, read_ids), _, _ = batch
    ((sources, read), ids, weights), reward = sampler.batch(batch, (1, 2))
    number = 2 * len(source_ids)
    assert ids.shape == weights.shape == read.shape
    assert ids.shape[:2] == (number, 3)
    np.testing.assert_array_equal(sources[::2], source_ids)
    np.testing.assert_array_equal(sources[1::2], source_ids)
    np.testing.assert_array_equal(read[:, :, 0], np.repeat(read_ids[:, :, 0].reshape(-1, 1), 3, axis=1))
    np.testing.assert_array_equal(read[:, :, 1:], ids[:, :, :-1])
    assert not np.isin(ids, [piece for piece in numeral_run.tokenizer.control_ids if piece not in (PAD, END)]).any()
    assert not weights[ids == PAD].any()
    assert 0 <= reward < 0.1  # it knows nothing


def test_rewards_are_the_scores_against_the_sentences_own_translations(sampler, batch, monkeypatch):
    """What is drawn is replaced by translations by people: those of the sentence itself are praised, others blamed."""
    _, targets, _ = batch
    own = targets.reshape(-1, 1, targets.shape[2])
    drawn = np.concatenate([own, np.roll(own, 2, axis=0), np.roll(own, 4, axis=0)], axis=1)
    monkeypatch.setattr(sampler, "_draw", lambda source_ids, languages, seed: drawn)
    (_, _, weights), reward = sampler.batch(batch, (0, 0))
    assert (weights[:, 0, 0] > 0.1).all()
    assert (weights[:, 1:, 0].sum(axis=1) < -0.1).all()
    assert 1 / 3 < reward < 0.9


def test_a_draw_depends_on_its_seed_alone(sampler, batch):
    first, again, other = (sampler.batch(batch, seed)[0][1] for seed in ((1, 2), (1, 2), (1, 3)))
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()


def test_an_epoch_draws_for_every_batch_anew(sampler, monkeypatch):
    monkeypatch.setattr(sampler, "batch", lambda batch, seed: ((batch, *seed), 0.0))
    seeds = set()
    for epoch in range(2):
        drawn = cast(Any, list(self_critical_batches(sampler, cast(Any, "abc"), seed=1, epoch=epoch)))
        assert [batch for batch, *_ in drawn] == ["a", "b", "c"]
        seeds |= {tuple(seed) for _, *seed in drawn}
    assert len(seeds) == 6
