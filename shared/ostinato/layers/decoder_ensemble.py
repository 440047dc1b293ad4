"""Several decoders of one encoder: each learns by itself, and they write together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from ostinato.layers.attention import Memory, Tensor
from ostinato.layers.attention_decoder import AttentionDecoder, DecoderState
from ostinato.layers.rows import Rows
from ostinato.layers.vocabulary import Shortlist, VocabularyLayer


class EnsembleMemory(NamedTuple):
    """What the decoders of an ensemble look at.

    Attributes:
      members: each decoder's own `Memory` of the same places.
      vocabulary: the `VocabularyLayer` that makes the mean of the decoders' logits of their outputs, which lie side by
        side, by one product for all of them. None where each writes by itself.
    """

    members: tuple[Memory, ...]
    vocabulary: Any = None

    @property
    def num_places(self) -> Tensor:
        """S, the number of places in each memory."""
        return self.members[0].num_places

    @property
    def mask(self) -> Tensor | None:
        """Which places count, bool [B, S], or None where all of them do."""
        return self.members[0].mask

    def choose(self, rows: Tensor) -> EnsembleMemory:
        """Returns the memory of some inputs alone, rows int [n]."""
        vocabulary = None if self.vocabulary is None else self.vocabulary.choose(rows)
        return EnsembleMemory(tuple(memory.choose(rows) for memory in self.members), vocabulary)


class _Decoders(keras.layers.Layer):
    """Decoders of one vocabulary, each with its own memory of what the encoder saw."""

    def __init__(self, decoders: Sequence[AttentionDecoder], **kwargs):
        super().__init__(**kwargs)
        if not decoders:
            raise ValueError("an ensemble needs a decoder")
        sizes = sorted({decoder.vocabulary_size for decoder in decoders})
        if len(sizes) > 1:
            raise ValueError(f"decoders write with one vocabulary; these have {sizes} pieces")
        self.decoders = list(decoders)

    def build_memory(self, features_shape):
        for decoder in self.decoders:
            decoder.build_memory(features_shape)

    def build(self, target_ids_shape, memory_shape=None):
        for decoder in self.decoders:
            if not decoder.built:  # it may belong to another layer of this kind already
                decoder.build(target_ids_shape)
        self.built = True

    def remember(
        self,
        features: Tensor,
        mask: Tensor | None = None,
        *,
        training: bool = False,
        shortlist: Shortlist | None = None,
    ) -> EnsembleMemory:
        """Projects the encoder's features float [B, S, D] (mask bool [B, S]) once for each decoder."""
        members = tuple(
            decoder.remember(features, mask, training=training, shortlist=shortlist) for decoder in self.decoders
        )
        return EnsembleMemory(members, self._vocabulary(members))

    def _vocabulary(self, members: Sequence[Memory]) -> VocabularyLayer | None:
        """Returns what makes the logits of all decoders together: nothing, where each writes by itself."""
        return None

    def compute_output_spec(self, target_ids, memory, training=False):
        return self.decoders[0].compute_output_spec(target_ids, memory)

    def get_config(self):
        decoders = [keras.saving.serialize_keras_object(decoder) for decoder in self.decoders]
        return {**super().get_config(), "decoders": decoders}

    @classmethod
    def from_config(cls, config):
        decoders = [keras.saving.deserialize_keras_object(decoder) for decoder in config.pop("decoders")]
        return cls(decoders, **config)


@keras.saving.register_keras_serializable(package="ostinato")
class ParallelDecoders(_Decoders):
    """Decoders that learn side by side: each reads sequences of its own, and none hears of the others.

    The encoder reads its input once for all of them. Train with this layer, then write with a `DecoderEnsemble` of the
    same decoders.

    Args:
      decoders: N decoders, whose weights should begin differently.

    Call arguments:
      target_ids: int [B, N * K, T]: the K sequences of the first decoder, then those of the second, and so on.
      memory: `EnsembleMemory`, as `remember` makes it.

    Returns:
      logits float32 [B, N * K, T, V].

    Raises:
      ValueError: there are no decoders, or their vocabularies differ.
    """

    def call(self, target_ids, memory, training=False):
        parts = ops.split(target_ids, len(self.decoders), axis=1)
        logits = [
            decoder(ids, theirs, training=training)
            for decoder, ids, theirs in zip(self.decoders, parts, memory.members, strict=True)
        ]
        return ops.concatenate(logits, axis=1)


@keras.saving.register_keras_serializable(package="ostinato")
class DecoderEnsemble(_Decoders):
    """Decoders that write together: what one of them knows by heart, the others hardly believe.

    Their logits are averaged, so that a token's probability is the geometric mean of those that the decoders give,
    normalised. It has the methods of an `AttentionDecoder`, hence searches and exports as one.

    Args:
      decoders: N decoders that have been trained, such as by `ParallelDecoders`.

    Call arguments:
      target_ids: int [B, K, T], which every decoder reads.
      memory: `EnsembleMemory`, as `remember` makes it.

    Returns:
      logits float32 [B, K, T, V], the mean of the decoders'.

    Raises:
      ValueError: there are no decoders, or their vocabularies differ.

    Reference: Hinton 2002, section 1 (products of experts); Sutskever et al. 2014, section 3.6 (ensembles of LSTMs).
    """

    def _vocabulary(self, members: Sequence[Memory]) -> VocabularyLayer:
        layers = [memory.vocabulary for memory in members]
        kernel = ops.concatenate([layer.kernel for layer in layers], axis=0) / len(layers)
        return VocabularyLayer(kernel, _mean([layer.bias for layer in layers]), layers[0].token_ids)

    def initial_state(self, memory: EnsembleMemory, num_sequences: int | Tensor = 1) -> tuple[DecoderState, ...]:
        """Returns each decoder's state before the first token, for K sequences of each input."""
        pairs = zip(self.decoders, memory.members, strict=True)
        return tuple(decoder.initial_state(theirs, num_sequences) for decoder, theirs in pairs)

    def call(self, target_ids, memory, training=False):
        pairs = zip(self.decoders, memory.members, strict=True)
        return _mean([decoder(target_ids, theirs, training=training) for decoder, theirs in pairs])

    def step(
        self, token_ids: Tensor, state: tuple[DecoderState, ...], memory: EnsembleMemory, going: Tensor | None = None
    ) -> tuple[Tensor, Tensor, tuple[DecoderState, ...]]:
        """Reads one token of each sequence and says what may follow, as `AttentionDecoder.step` does.

        The attention weights float32 [B, K, S] are the mean of the decoders'.
        """
        rows = Rows(token_ids, going)
        steps = [
            decoder.step_rows(token_ids, before, theirs, rows)
            for decoder, before, theirs in zip(self.decoders, state, memory.members, strict=True)
        ]
        outputs, weights, following = zip(*steps, strict=True)
        log_probs = memory.vocabulary.log_probs(ops.concatenate(outputs, axis=-1), rows.inputs)  # -> [R, V]
        return rows.spread(log_probs), _mean(weights), following


def _mean(tensors: Sequence[Any]) -> Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total += tensor
    return total / len(tensors)
