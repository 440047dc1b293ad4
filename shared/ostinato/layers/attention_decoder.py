"""The decoder that captioning and translation share: LSTM, attention, LSTM, vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from ostinato.layers.attention import AdditiveAttention, Memory, MultiplicativeAttention, Tensor
from ostinato.layers.rows import Rows
from ostinato.layers.vocabulary import Shortlist, VocabularyLayer

_ATTENTIONS = {"additive": AdditiveAttention, "multiplicative": MultiplicativeAttention}


class DecoderState(NamedTuple):
    """What the decoder carries from one token to the next: both LSTMs' states, float [B, K, units] each."""

    language_hidden: Tensor
    language_cell: Tensor
    output_hidden: Tensor
    output_cell: Tensor


@keras.saving.register_keras_serializable(package="ostinato")
class AttentionDecoder(keras.layers.Layer):
    """Writes sequences while looking at a memory.

    A first LSTM reads the tokens so far, its outputs query the memory, and a second LSTM reads outputs and contexts.
    No token waits for the attention of the one before it, so that training runs each LSTM over whole sequences. As
    a loop over tokens:

        for token in target:
            hidden, language_state = language_lstm(embed(token), language_state)
            context, weights = attention(hidden, memory)
            output, output_state = output_lstm([hidden, context], output_state)
            logits = to_vocabulary([output, context])

    Every tensor of tokens has an axis K after the batch: several sequences for one input (its captions in training,
    its beams in decoding) share one memory, which is therefore never repeated.

    Args:
      vocabulary_size: number of tokens V.
      embedding_size: size of a token's vector; the output layer uses the same vectors (Press and Wolf 2017).
      units: size of each LSTM and of the memory's values.
      attention: `multiplicative` or `additive`.
      attention_units: size of the space in which queries and keys are compared.
      dropout: share of the inputs of each LSTM and of the vocabulary layer that training drops.
      memory_dropout: share of the encoder's features that training drops.
      temperature: what logits are divided by, above 0: below 1 sharpens what the decoder says (Guo et al. 2017, section
        4.2). To learn as if it were 1, let the loss flatten logits by the inverse, see `SmoothedCrossEntropy`.

    Call arguments:
      target_ids: int [B, K, T], each sequence beginning with the start token.
      memory: `Memory`, as `remember` makes it.

    Returns:
      logits float32 [B, K, T, V] of the token that follows each position.

    Raises:
      ValueError: there is no such attention, or the temperature is not above 0.

    Reference: Anderson et al. 2018, section 3.2 (two LSTMs around the attention); Xu et al. 2015, section 3.1.2
    (initial state from the mean of the features).
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_size: int = 256,
        units: int = 512,
        attention: str = "multiplicative",
        attention_units: int = 256,
        dropout: float = 0.3,
        memory_dropout: float = 0.3,
        temperature: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if attention not in _ATTENTIONS:
            raise ValueError(f"there is no attention {attention!r}: use one of {', '.join(_ATTENTIONS)}")
        if temperature <= 0:
            raise ValueError(f"a temperature is above 0; it is {temperature}")
        self.vocabulary_size = vocabulary_size
        self.embedding_size = embedding_size
        self.units = units
        self.attention_name = attention
        self.attention_units = attention_units
        self.dropout_rate = dropout
        self.memory_dropout_rate = memory_dropout
        self.temperature = temperature

        dtype = self.dtype_policy
        self.memory_dropout = keras.layers.Dropout(memory_dropout, dtype=dtype, name="memory_dropout")
        self.value_projection = keras.layers.Dense(units, activation="relu", dtype=dtype, name="value_projection")
        self.initial_projection = keras.layers.Dense(
            4 * units, activation="tanh", dtype=dtype, name="initial_projection"
        )
        self.embedding = keras.layers.Embedding(
            vocabulary_size,
            embedding_size,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=embedding_size**-0.5),
            dtype=dtype,
            name="embedding",
        )
        self.language_lstm = keras.layers.LSTM(units, return_sequences=True, dtype=dtype, name="language_lstm")
        self.attention = _ATTENTIONS[attention](attention_units, dtype=dtype, name="attention")
        self.output_lstm = keras.layers.LSTM(units, return_sequences=True, dtype=dtype, name="output_lstm")
        self.output_projection = keras.layers.Dense(
            embedding_size, activation="tanh", dtype=dtype, name="output_projection"
        )
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")
        self.output_bias: Any = None

    def build_memory(self, features_shape):
        """Makes the weights that `remember` needs, for features [B, S, D], unless they are there."""
        if not self.value_projection.built:
            self.value_projection.build(features_shape)
        self._build_vocabulary()

    def _build_vocabulary(self):
        if not self.embedding.built:  # an encoder that shares it may have been first
            self.embedding.build(None)
        if self.output_bias is None:
            self.output_bias = self.add_weight(shape=(self.vocabulary_size,), initializer="zeros", name="output_bias")

    def build(self, target_ids_shape, memory_shape=None):
        outputs_shape, pair_shape = (None, None, self.units), (None, None, 2 * self.units)
        self.initial_projection.build((None, self.units))
        self._build_vocabulary()
        self.language_lstm.build((None, None, self.embedding_size))
        self.attention.build(outputs_shape, Memory(None, outputs_shape))
        self.output_lstm.build(pair_shape)
        self.output_projection.build(pair_shape)
        self.built = True

    def remember(
        self,
        features: Tensor,
        mask: Tensor | None = None,
        *,
        training: bool = False,
        shortlist: Shortlist | None = None,
    ) -> Memory:
        """Projects the encoder's features float [B, S, D] (mask bool [B, S]) once for the whole sequence.

        Given a shortlist of n tokens, `step` takes and returns their numbers, 0 to n - 1, and V is n.
        """
        self.build_memory(features.shape)  # where the decoder has not been called yet
        values = self.value_projection(self.memory_dropout(features, training=training))  # -> [B, S, units]
        vectors = ops.cast(self.embedding.embeddings, values.dtype)
        vocabulary = VocabularyLayer.of(vectors, self.output_bias, self.temperature, shortlist)
        return self.attention.remember(values, mask)._replace(vocabulary=vocabulary)

    def initial_state(self, memory: Memory, num_sequences: int | Tensor = 1) -> DecoderState:
        """Returns the state before the first token, from the mean of the memory, for K sequences of each input."""
        if memory.mask is None:
            mean = ops.mean(memory.values, axis=1)  # -> [B, units]
        else:
            kept = ops.cast(memory.mask, memory.values.dtype)[:, :, None]
            mean = ops.sum(memory.values * kept, axis=1) / ops.maximum(ops.sum(kept, axis=1), 1)
        state = self.initial_projection(mean)[:, None, :]  # -> [B, 1, 4 * units]
        state = ops.broadcast_to(state, (ops.shape(state)[0], num_sequences, 4 * self.units))
        return DecoderState(*ops.split(state, 4, axis=-1))

    def call(self, target_ids, memory, training=False):
        batch, num_sequences, time = ops.shape(target_ids)
        state = self.initial_state(memory, num_sequences)
        flat = [self._merge(part) for part in state]  # -> [B * K, units] each
        embedded = self.dropout(self._embed(target_ids), training=training)  # -> [B, K, T, embedding]
        hidden = self.language_lstm(self._merge(embedded), initial_state=flat[:2])  # -> [B * K, T, units]
        query = ops.reshape(
            hidden, (batch, num_sequences * time, self.units)
        )  # the memory is shared: [B, K * T, units]
        context, _ = self.attention(query, memory)
        context = ops.reshape(context, ops.shape(hidden))  # -> [B * K, T, units]
        inputs = self.dropout(ops.concatenate([hidden, context], axis=-1), training=training)
        output = self.output_lstm(inputs, initial_state=flat[2:])  # -> [B * K, T, units]
        projected = self.dropout(self._project(output, context), training=training)  # -> [B * K, T, embedding]
        logits = memory.vocabulary.logits(projected)  # -> [B * K, T, V]
        return ops.reshape(logits, (batch, num_sequences, time, self.vocabulary_size))

    def step(
        self, token_ids: Tensor, state: DecoderState, memory: Memory, going: Tensor | None = None
    ) -> tuple[Tensor, Tensor, DecoderState]:
        """Reads one token of each sequence and says what may follow.

        Args:
          token_ids: int [B, K].
          state: `DecoderState` of float [B, K, units].
          memory: `Memory`.
          going: bool [B, K], which sequences anything is computed for, see `Rows`; all if not given. Of the others
            nothing that is returned means anything.

        Returns:
          log_probs float32 [B, K, V], attention weights float32 [B, K, S], the next state.
        """
        rows = Rows(token_ids, going)
        projected, weights, next_state = self.step_rows(token_ids, state, memory, rows)
        return rows.spread(memory.vocabulary.log_probs(projected, rows.inputs)), weights, next_state

    def step_rows(
        self, token_ids: Tensor, state: DecoderState, memory: Memory, rows: Rows
    ) -> tuple[Tensor, Tensor, DecoderState]:
        """As `step`, but float [R, embedding] of the rows, of which the memory's `vocabulary` makes the logits."""
        flat = [rows.merge(part) for part in state]  # -> [R, units] each
        embedded = self._embed(memory.vocabulary.of_all(rows.merge(token_ids)))
        hidden, language_state = self.language_lstm.cell(embedded, flat[:2])
        # The sequences of an input share its memory, so that attention takes them side by side.
        context, weights = self.attention(rows.spread(hidden), memory)  # -> [B, K, units], [B, K, S]
        context = rows.merge(context)
        output, output_state = self.output_lstm.cell(ops.concatenate([hidden, context], axis=-1), flat[2:])
        next_state = DecoderState(*(rows.spread(part) for part in (*language_state, *output_state)))
        return self._project(output, context), weights, next_state

    def with_vocabulary(self, token_ids: Sequence[int]) -> AttentionDecoder:
        """Returns a decoder of some of the tokens alone, with copies of the weights.

        The logits of 4,000 tokens take a fifth of the time of a small decoder that only ever writes some hundreds of
        them (shortlists: Jean et al. 2015, section 3.2).

        Args:
          token_ids: those that it keeps, n of V; in its own vocabulary they are numbered from 0 in this order.
        """
        shorter = type(self).from_config({**self.get_config(), "vocabulary_size": len(token_ids)})
        shorter.build_memory((None, None, self.value_projection.kernel.shape[0]))
        shorter.build((None, None, None))
        for weight, mine in zip(shorter.weights, self.weights, strict=True):
            of_tokens = mine is self.embedding.embeddings or mine is self.output_bias
            weight.assign(ops.take(mine, list(token_ids), axis=0) if of_tokens else mine)
        return shorter

    def _embed(self, token_ids):
        # Vectors small enough for the output layer, which shares them, would hardly move an LSTM (Vaswani et al. 2017,
        # section 3.4): without the factor, learning takes several times as many updates.
        return self.embedding(token_ids) * self.embedding_size**0.5

    def _project(self, output, context):
        return self.output_projection(ops.concatenate([output, context], axis=-1))

    def _merge(self, x):
        """Makes one axis of the first two: [B, K, ...] -> [B * K, ...]."""
        return ops.reshape(x, (-1, *ops.shape(x)[2:]))

    def compute_output_shape(self, target_ids_shape, memory_shape=None):
        return (*target_ids_shape, self.vocabulary_size)

    def compute_output_spec(self, target_ids, memory, training=False):
        return keras.KerasTensor(self.compute_output_shape(target_ids.shape), dtype="float32")

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_size": self.embedding_size,
            "units": self.units,
            "attention": self.attention_name,
            "attention_units": self.attention_units,
            "dropout": self.dropout_rate,
            "memory_dropout": self.memory_dropout_rate,
            "temperature": self.temperature,
        }
