"""The translation network, and the loop that translates with it while it is being trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from ostinato.compiling import compiled
from ostinato.decoding import BeamOptions, ControlTokens, beam_search
from ostinato.decoding.options import Tensor
from ostinato.layers import AttentionDecoder, EncoderDecoder, TextEncoder
from ostinato.text import END, PAD, START, UNKNOWN, Tokenizer
from ostinato_translate.batches import pad, with_end
from ostinato_translate.config import DecodingConfig, TrainConfig

_EXTRA_LENGTH = 10  # pieces that even the translation of a single word may have


def make_control(tokenizer: Tokenizer, *, may_write_unknown: bool = False) -> ControlTokens:
    """Returns the control tokens. Each sequence begins with its target language instead of the start token."""
    languages = [piece_id for piece_id in tokenizer.control_ids if piece_id not in (START, END, PAD)]
    return ControlTokens(
        start=START, end=END, pad=PAD, banned=tuple(languages if may_write_unknown else [UNKNOWN, *languages])
    )


def make_model(config: TrainConfig, vocabulary_size: int, *, precision: str = "float32") -> EncoderDecoder:
    """Builds the network. Its weights are float32 whatever it computes with (`precision`, a Keras dtype policy)."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        encoder = TextEncoder(
            vocabulary_size,
            embedding_size=config.embedding_size,
            units=config.encoder_units,
            num_layers=config.encoder_layers,
            dropout=config.dropout,
            name="encoder",
        )
        decoder = AttentionDecoder(
            vocabulary_size,
            embedding_size=config.embedding_size,
            units=config.units,
            attention=config.attention,
            attention_units=config.attention_units,
            dropout=config.dropout,
            memory_dropout=0.0,  # the encoder has dropped already
            name="decoder",
        )
        model = EncoderDecoder(encoder, decoder, share_embedding=True, name="translator")
        model.build(((None, None), (None, None, None)))
    finally:
        keras.config.set_dtype_policy(before)
    return model


def beam_options(config: DecodingConfig, **changes: Any) -> BeamOptions:
    """Turns the settings of a user into those of the search."""
    options = {
        "width": config.beam_width,
        "num_results": config.num_translations,
        "length_penalty": config.length_penalty,
        "coverage_penalty": config.coverage_penalty,
        "no_repeat_ngram": config.no_repeat_ngram,
        "patience": config.patience,
        "pruning": config.pruning,
    }
    return BeamOptions(**{**options, **changes})


def greatest_lengths(source_ids: Tensor, ratio: Any) -> Tensor:
    """Returns how many pieces a translation of each source int [B, S] may have, int32 [B], the end counted."""
    lengths = keras.ops.sum(keras.ops.cast(source_ids != PAD, "float32"), axis=1)
    return keras.ops.cast(lengths * ratio, "int32") + _EXTRA_LENGTH


def translation_writer(
    model: EncoderDecoder,
    tokenizer: Tokenizer,
    config: DecodingConfig,
    *,
    batch_size: int = 100,
) -> Callable[[Sequence[str], Sequence[int]], list[str]]:
    """Returns a function from source texts and the ids of their target languages to the best translation of each."""
    control = make_control(tokenizer)

    def search(source_ids: Tensor, target_languages: Tensor) -> Tensor:
        memory = model.encode(source_ids)
        max_lengths = greatest_lengths(source_ids, config.max_length_ratio)
        return beam_search(
            model.step,
            model.initial_state(memory),
            memory,
            beam_options(config, num_results=1, max_length=keras.ops.max(max_lengths)),
            control=control,
            num_places=keras.ops.shape(source_ids)[1],
            start_tokens=target_languages,
            max_lengths=max_lengths,
            places_mask=memory.mask,
        ).ids

    search = compiled(search)

    def write(texts: Sequence[str], target_languages: Sequence[int]) -> list[str]:
        ids = with_end([tokenizer.encode(text) for text in texts])
        translations = [""] * len(texts)
        for places in _by_length(ids, batch_size):
            source_ids = keras.ops.convert_to_tensor(pad([ids[place] for place in places]))
            targets = keras.ops.convert_to_tensor(np.array([target_languages[place] for place in places], np.int32))
            found = keras.ops.convert_to_numpy(search(source_ids, targets))
            for place, row in zip(places, found, strict=True):
                translations[place] = tokenizer.decode(row[0])
        return translations

    return write


def _by_length(ids: Sequence[Sequence[int]], batch_size: int) -> Iterator[np.ndarray]:
    """Yields places of sentences that are about as long as one another."""
    order = np.argsort([len(sentence) for sentence in ids], kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
