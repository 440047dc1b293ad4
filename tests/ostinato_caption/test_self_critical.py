from typing import Any, cast

import keras
import numpy as np
import pytest

from ostinato.text import END, PAD, START, Tokenizer, train_sentencepiece
from ostinato_caption.config import TrainConfig
from ostinato_caption.model import make_decoders, make_model
from ostinato_caption.self_critical import SelfCriticalSampler, self_critical_batches

CAPTIONS = [
    ["a red dog runs", "the dog is red"],
    ["two cats sleep", "cats on a bed"],
    ["a boat", "a small boat at sea"],
]
FEATURES = np.random.default_rng(0).normal(size=(3, 2, 5, 7)).astype(np.float16)  # photos, views, places, size


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer(train_sentencepiece([text for texts in CAPTIONS for text in texts], 300))


def make_sampler(tokenizer, num_models=1):
    keras.utils.set_random_seed(2)
    config = TrainConfig(embedding_size=8, decoders=num_models, units=12, attention_units=5)
    models = [make_model(None, [decoder], feature_size=7) for decoder in make_decoders(config, tokenizer.size)]
    return SelfCriticalSampler(models, tokenizer, CAPTIONS, captions_per_photo=4, max_length=9)


@pytest.fixture(scope="module")
def sampler(tokenizer):
    return make_sampler(tokenizer)


def test_a_batch_weighs_drawn_captions_by_how_much_they_exceed_the_others(sampler, monkeypatch):
    rewards = np.array([[3, 1, 1, 1], [0, 0, 0, 0], [2, 4, 0, 0]], np.float32)
    monkeypatch.setattr(sampler._reward, "reward", lambda texts, photos: rewards[photos[::4]].reshape(-1))
    features = FEATURES[:, 0].astype(np.float32)
    ((inputs, read_ids), ids, weights), mean = sampler.batch(features, np.array([0, 2, 1]), (1, 2))
    assert inputs is features
    assert ids.shape == weights.shape == read_ids.shape
    assert ids.shape[:2] == (3, 4)
    assert (ids.dtype, weights.dtype) == (np.int32, np.float32)
    advantages = weights[:, :, 0]
    np.testing.assert_allclose(advantages[0], [2, -2 / 3, -2 / 3, -2 / 3], rtol=1e-6)
    np.testing.assert_allclose(advantages[1], [2 - 4 / 3, 4 - 2 / 3, -2, -2], rtol=1e-6)
    assert not advantages[2].any()
    np.testing.assert_allclose(advantages.sum(axis=1), 0, atol=1e-6)
    assert mean == pytest.approx(1.0)


def test_each_model_draws_captions_of_its_own_and_is_compared_with_itself(tokenizer, monkeypatch):
    sampler = make_sampler(tokenizer, num_models=2)
    rewards = np.array([[3, 1, 1, 1, 9, 9, 9, 9], [0, 0, 0, 4, 2, 2, 2, 6]], np.float32)
    monkeypatch.setattr(sampler._reward, "reward", lambda texts, photos: rewards[photos[::8]].reshape(-1))
    (_, ids, weights), _ = sampler.batch(FEATURES[:2, 0].astype(np.float32), np.array([0, 1]), (1, 2))
    assert ids.shape[:2] == (2, 8)
    assert (ids[:, :4] != ids[:, 4:]).any()
    third = 4 / 3
    expected = [[2, -2 / 3, -2 / 3, -2 / 3, 0, 0, 0, 0], [-third, -third, -third, 4, -third, -third, -third, 4]]
    np.testing.assert_allclose(weights[:, :, 0], expected, atol=1e-5)


def test_every_written_token_counts_and_no_padding(sampler):
    ((_, read_ids), ids, weights), _ = sampler.batch(FEATURES[:, 0].astype(np.float32), np.arange(3), (5, 6))
    assert (read_ids[:, :, 0] == START).all()
    np.testing.assert_array_equal(read_ids[:, :, 1:], ids[:, :, :-1])
    assert not weights[ids == PAD].any()
    for row, counts in zip(ids.reshape(-1, ids.shape[2]), weights.reshape(-1, ids.shape[2]), strict=True):
        assert np.ptp(counts[row != PAD]) == 0
        if END in row:
            assert set(row[list(row).index(END) + 1 :]) <= {PAD}


def test_rewards_are_those_of_the_photos_own_captions(sampler, tokenizer, monkeypatch):
    """What is drawn is replaced by real captions: those of the photo itself must be praised, others blamed."""
    texts = ["two cats sleep", "cats on a bed", "a boat", "a red dog runs"]
    ids = np.full((1, 4, 20), PAD, np.int64)
    for place, text in enumerate(texts):
        pieces = [*tokenizer.encode(text), END]
        ids[0, place, : len(pieces)] = pieces
    monkeypatch.setattr(sampler, "_draw", lambda features, seed: ids)
    (_, _, weights), mean = sampler.batch(FEATURES[1:2, 0].astype(np.float32), np.array([1]), (0, 0))
    assert (np.sign(weights[0, :, 0]) == [1, 1, -1, -1]).all()
    assert mean > 1


def test_a_draw_depends_on_its_seed_alone(sampler):
    features = FEATURES[:, 0].astype(np.float32)

    def drawn(seed):
        return sampler.batch(features, np.arange(3), seed)[0][1]

    first, other = drawn((1, 2)), drawn((1, 3))
    np.testing.assert_array_equal(first, drawn((1, 2)))
    assert first.shape != other.shape or (first != other).any()


def test_an_epoch_draws_for_every_photo_once(sampler, monkeypatch):
    asked = []
    monkeypatch.setattr(sampler, "batch", lambda features, photos, seed: ((features, photos, seed), 0.0))
    rows = np.array([2, 0, 1])  # of the training photos among all
    for epoch in range(2):
        batches = list(self_critical_batches(sampler, FEATURES, rows, photos_per_batch=2, seed=1, epoch=epoch))
        assert [len(photos) for _, photos, _ in batches] == [2, 1]
        for features, photos, seed in cast(Any, batches):
            assert features.dtype == np.float32
            for feature, photo in zip(features, photos, strict=True):
                assert any((feature == view).all() for view in FEATURES[rows[photo]].astype(np.float32))
            asked.append((epoch, *photos, *seed))
    assert sorted(photo for epoch, *photos, _, _ in asked for photo in photos if epoch == 0) == [0, 1, 2]
    assert len({seed for *_, seed in asked}) == 4  # no draw is repeated
