import numpy as np
import pytest

from ostinato_translate.config import TrainConfig
from ostinato_translate.cost import training_operations
from ostinato_translate.model import make_model

CONFIG = TrainConfig(embedding_size=7, encoder_units=5, encoder_layers=3, units=11, attention_units=3)


def batch(source_lengths, target_lengths):
    """Returns a batch of sources, each with translations of such lengths, padded by two places."""
    source_ids = np.zeros((len(source_lengths), max(source_lengths) + 2), np.int32)
    weights = np.zeros((len(source_lengths), len(target_lengths[0]), np.max(target_lengths) + 2), np.float32)
    for row, length in enumerate(source_lengths):
        source_ids[row, :length] = 9
        for k, target_length in enumerate(target_lengths[row]):
            weights[row, k, :target_length] = 1
    targets = np.int32(weights)
    return (source_ids, targets), targets, weights


def test_one_piece_read_and_one_written_use_each_matrix_once():
    weights = make_model(CONFIG, 31).trainable_weights
    products = sum(np.prod(weight.shape) for weight in weights if len(weight.shape) == 2)
    looking = CONFIG.attention_units + CONFIG.units
    assert training_operations(CONFIG, 31, batch([1], [[1]])) == 6 * (products + looking)


def test_what_is_read_once_and_written_twice_is_cheaper_than_two_sentences():
    once = training_operations(CONFIG, 31, batch([4], [[3, 5]]))
    assert once < training_operations(CONFIG, 31, batch([4, 4], [[3], [5]]))


def test_sentences_of_a_batch_add_up():
    together = training_operations(CONFIG, 31, batch([4, 9], [[3], [8]]))
    alone = [training_operations(CONFIG, 31, batch([source], [[target]])) for source, target in ((4, 3), (9, 8))]
    assert together == pytest.approx(sum(alone))
