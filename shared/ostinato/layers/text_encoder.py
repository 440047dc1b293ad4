"""What reads a sentence before another is written."""

from __future__ import annotations

import keras
from keras import ops

from ostinato.layers.attention import Tensor

PADDING = 0  # the id behind a sentence's end


@keras.saving.register_keras_serializable(package="ostinato")
class TextEncoder(keras.layers.Layer):
    """Reads sentences forwards and backwards, with stacked LSTMs.

    Each layer is one LSTM over the sentence and one over the sentence turned round; what they say of each place stands
    side by side. As a loop over layers:

        for forward, backward in layers:
            x = x + dropout([forward(x), turned(backward(turned(x)))])

    A sentence is turned round within its own length, so that padding stays on its right and no LSTM needs a mask: a
    mask would rule out the fast kernels of CPUs and GPUs alike. What an LSTM says of padding is never looked at.

    Args:
      vocabulary_size: number of pieces V.
      embedding_size: size of a piece's vector.
      units: size of each LSTM, half of what is said of a place.
      num_layers: how many pairs of LSTMs stand on one another; all but the first add to what they read.
      dropout: share of the vectors, and of what each layer says, that training drops.

    Attributes:
      embedding: `keras.layers.Embedding`; may be replaced by another layer's before the weights are made, to share its
        vectors (Press and Wolf 2017).

    Call arguments:
      source_ids: int [B, S], padded on the right with 0.

    Returns:
      features float [B, S, 2 * units]; `compute_mask` says which places are no padding.

    Reference: Bahdanau et al. 2015, section 3.2 (bidirectional); Wu et al. 2016, section 3.1 (stacks with residuals).
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_size: int = 256,
        units: int = 256,
        num_layers: int = 2,
        dropout: float = 0.3,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_size = embedding_size
        self.units = units
        self.num_layers = num_layers
        self.dropout_rate = dropout

        dtype = self.dtype_policy
        self.embedding = keras.layers.Embedding(
            vocabulary_size,
            embedding_size,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=embedding_size**-0.5),
            dtype=dtype,
            name="embedding",
        )
        self.forward_lstms, self.backward_lstms = (
            [
                keras.layers.LSTM(units, return_sequences=True, dtype=dtype, name=f"{direction}_lstm_{number}")
                for number in range(num_layers)
            ]
            for direction in ("forward", "backward")
        )
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")

    def build(self, source_ids_shape):
        if not self.embedding.built:  # another layer may have made the vectors already
            self.embedding.build(source_ids_shape)
        size = self.embedding_size
        for forward, backward in zip(self.forward_lstms, self.backward_lstms, strict=True):
            forward.build((None, None, size))
            backward.build((None, None, size))
            size = 2 * self.units
        self.built = True

    def call(self, source_ids, training=False):
        turn = _turning(source_ids)
        # The factor is that of the decoder, which may share the vectors.
        x = self.dropout(self.embedding(source_ids) * self.embedding_size**0.5, training=training)  # -> [B, S, E]
        for number, (forward, backward) in enumerate(zip(self.forward_lstms, self.backward_lstms, strict=True)):
            read = ops.concatenate([forward(x), turn(backward(turn(x)))], axis=-1)  # -> [B, S, 2 * units]
            read = self.dropout(read, training=training)
            x = read if number == 0 else x + read
        return x

    def compute_mask(self, source_ids: Tensor, previous_mask: Tensor | None = None) -> Tensor:
        """Returns bool [B, S], False at padding."""
        return ops.not_equal(source_ids, PADDING)

    def compute_output_shape(self, source_ids_shape):
        return (*source_ids_shape, 2 * self.units)

    def compute_output_spec(self, source_ids, training=False):
        return keras.KerasTensor(self.compute_output_shape(source_ids.shape), dtype=self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_size": self.embedding_size,
            "units": self.units,
            "num_layers": self.num_layers,
            "dropout": self.dropout_rate,
        }


def _turning(source_ids: Tensor):
    """Returns a function that turns float [B, S, D] round within each sentence; applied twice, it does nothing."""
    batch, length = ops.shape(source_ids)
    lengths = ops.sum(ops.cast(ops.not_equal(source_ids, PADDING), "int32"), axis=1, keepdims=True)  # -> [B, 1]
    place = ops.arange(length, dtype="int32")[None, :]  # -> [1, S]
    place = ops.where(place < lengths, lengths - 1 - place, place)  # -> [B, S]
    flat = ops.reshape(place + ops.arange(batch, dtype="int32")[:, None] * length, (-1,))

    def turn(x: Tensor) -> Tensor:
        shape = ops.shape(x)
        return ops.reshape(ops.take(ops.reshape(x, (-1, shape[-1])), flat, axis=0), shape)

    return turn
