"""What a training step costs in matrix products: nearly all that a processor does in it."""

from __future__ import annotations

import numpy as np

from ostinato.text import PAD
from ostinato_translate.batches import Batch
from ostinato_translate.config import TrainConfig

_PER_MULTIPLY_ADD = 2
_FORWARD_AND_BACKWARD = 3  # the gradients of both factors of a product cost a product each


def training_operations(config: TrainConfig, vocabulary_size: int, batch: Batch) -> float:
    """Returns the floating-point operations of the matrix products of one update. Padding is no work to speak of.

    Args:
      config: sizes of the network.
      vocabulary_size: number of pieces.
      batch: the update's sentences.
    """
    (source_ids, _), _, weights = batch
    source_lengths = np.sum(source_ids != PAD, axis=1)  # -> [B]
    target_lengths = np.sum(weights, axis=(1, 2))  # -> [B], those of all languages together
    forward = (
        float(np.sum(source_lengths)) * _per_source_piece(config)
        + float(np.sum(target_lengths)) * _per_target_piece(config, vocabulary_size)
        + float(np.sum(source_lengths * target_lengths)) * (config.attention_units + config.units)
        + len(source_ids) * 4 * config.units**2  # the decoder's first state
    )
    return _PER_MULTIPLY_ADD * _FORWARD_AND_BACKWARD * forward


def _per_source_piece(config: TrainConfig) -> int:
    """Multiplications of reading a piece of the source and of remembering it for the attention."""
    read, size = 0, config.embedding_size
    for _ in range(config.encoder_layers):
        read += 2 * _lstm(size, config.encoder_units)
        size = 2 * config.encoder_units
    return read + size * config.units + config.units * config.attention_units


def _per_target_piece(config: TrainConfig, vocabulary_size: int) -> int:
    """Multiplications of writing a piece, but for looking at the source."""
    return (
        _lstm(config.embedding_size, config.units)
        + config.units * config.attention_units
        + _lstm(2 * config.units, config.units)
        + 2 * config.units * config.embedding_size
        + config.embedding_size * vocabulary_size
    )


def _lstm(input_size: int, units: int) -> int:
    return 4 * units * (input_size + units)
