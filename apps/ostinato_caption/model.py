"""The captioning network, and the loop that writes captions with it while it is being trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from ostinato.compiling import compiled
from ostinato.decoding import BeamOptions, ControlTokens, beam_search
from ostinato.decoding.options import Tensor
from ostinato.layers import AttentionDecoder, DecoderEnsemble, EncoderDecoder, ImageEncoder, ParallelDecoders
from ostinato.text import END, PAD, START, UNKNOWN, Tokenizer
from ostinato_caption.config import DecodingConfig, TrainConfig

CONTROL = ControlTokens(start=START, end=END, pad=PAD, banned=(UNKNOWN,))


def make_decoders(
    config: TrainConfig, vocabulary_size: int, *, precision: str = "float32"
) -> tuple[AttentionDecoder, ...]:
    """Builds the decoders. Their weights are float32 whatever they compute with (`precision`, a Keras dtype policy)."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return tuple(
            AttentionDecoder(
                vocabulary_size,
                embedding_size=config.embedding_size,
                units=config.units,
                attention=config.attention,
                attention_units=config.attention_units,
                dropout=config.dropout,
                memory_dropout=config.memory_dropout,
                temperature=config.temperature,
                name=f"decoder_{number}",
            )
            for number in range(config.decoders)
        )
    finally:
        keras.config.set_dtype_policy(before)


def make_model(
    encoder: ImageEncoder | None,
    decoders: Sequence[AttentionDecoder],
    *,
    feature_size: int = 1280,
    learning: bool = False,
) -> EncoderDecoder:
    """Joins them and makes the weights.

    Args:
      encoder: the image network; None for a model of cached features float [B, S, feature_size].
      decoders: N of them.
      feature_size: of the cached features.
      learning: whether each decoder reads K of N * K sequences by itself, or all of them read and write the same.
    """
    decoder = ParallelDecoders(decoders) if learning else DecoderEnsemble(decoders)
    model = EncoderDecoder(encoder, decoder, name="captioner")
    inputs_shape = (None, None, feature_size) if encoder is None else (None, None, None, 3)
    model.build((inputs_shape, (None, None, None)))
    return model


def beam_options(config: DecodingConfig, **changes: Any) -> BeamOptions:
    """Turns the settings of a user into those of the search."""
    options = {
        "width": config.beam_width,
        "num_results": config.num_captions,
        "length_penalty": config.length_penalty,
        "patience": config.patience,
        "pruning": config.pruning,
        "min_length": config.min_length,
        "max_length": config.max_length,
    }
    return BeamOptions(**{**options, **changes})


def caption_writer(
    model: EncoderDecoder, tokenizer: Tokenizer, options: BeamOptions
) -> Callable[[Iterable[np.ndarray]], Iterator[str]]:
    """Returns a function from batches of the model's inputs to the best caption of each."""

    def search(inputs: Tensor) -> Tensor:
        memory = model.encode(inputs)
        return beam_search(
            model.step,
            model.initial_state(memory),
            memory,
            options,
            control=CONTROL,
            num_places=memory.num_places,
        ).ids

    search = compiled(search)

    def write(batches: Iterable[np.ndarray]) -> Iterator[str]:
        for inputs in batches:
            ids = keras.ops.convert_to_numpy(search(keras.ops.convert_to_tensor(inputs, "float32")))
            yield from (tokenizer.decode(row[0]) for row in ids)

    return write
