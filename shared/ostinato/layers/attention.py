"""Attention over a memory whose keys are projected once for each input, not once for each decoding step."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

Tensor = Any  # a tensor of whichever Keras backend runs


class Memory(NamedTuple):
    """What a decoder looks at.

    Attributes:
      keys: float, already projected into the space in which they are compared with queries, and laid out as the
        attention compares them: [B, S, units] additive, [B, units, S] multiplicative.
      values: float [B, S, D], what the weights average.
      mask: bool [B, S], True = keep, or None where every place counts.
      vocabulary: the `VocabularyLayer` of a decoder. None where nothing is decoded.
    """

    keys: Tensor
    values: Tensor
    mask: Tensor | None = None
    vocabulary: Any = None

    @property
    def num_places(self) -> Tensor:
        """S, the number of places."""
        return ops.shape(self.values)[1]

    def choose(self, rows: Tensor) -> Memory:
        """Returns the memory of some inputs alone, rows int [n]."""
        mask = None if self.mask is None else ops.take(self.mask, rows, axis=0)
        return self._replace(
            keys=ops.take(self.keys, rows, axis=0),
            values=ops.take(self.values, rows, axis=0),
            mask=mask,
            vocabulary=None if self.vocabulary is None else self.vocabulary.choose(rows),
        )


def masked_softmax(energy: Tensor, mask: Tensor | None) -> Tensor:
    """Returns float32 weights [B, T, S] that sum to 1 over the kept places, from energies of any float type.

    A mask of which nothing is kept gives uniform weights, not NaN.
    """
    energy = ops.cast(energy, "float32")  # bfloat16 has too few bits for a sum over many places
    if mask is not None:
        energy = ops.where(mask[:, None, :], energy, -1e9)
    return ops.softmax(energy, axis=-1)


class _Attention(keras.layers.Layer):
    """What additive and multiplicative attention share: projections, softmax, weighted mean."""

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        dtype = self.dtype_policy
        self.query_projection = keras.layers.Dense(units, use_bias=False, dtype=dtype, name="query_projection")
        self.key_projection = keras.layers.Dense(units, dtype=dtype, name="key_projection")

    def build(self, query_shape, memory_shape):
        self.query_projection.build(query_shape)
        if not self.key_projection.built:  # where `remember` has not been called yet
            self.key_projection.build(memory_shape[1])  # that of the values
        self.built = True

    def remember(self, values: Tensor, mask: Tensor | None = None) -> Memory:
        """Projects the keys of float [B, S, D] values once, for any number of queries."""
        return Memory(self.lay_out(self.key_projection(values)), values, mask)

    def call(self, query, memory):
        batch, time, depth = ops.shape(query)
        # As rows: of three axes, Keras would first find out which of them to contract, by a dozen ops at every token.
        query = self.query_projection(ops.reshape(query, (batch * time, depth)))
        query = ops.reshape(query, (batch, time, self.units))
        weights = masked_softmax(self.energy(query, memory.keys), memory.mask)  # -> [B, T, S]
        context = ops.matmul(ops.cast(weights, memory.values.dtype), memory.values)  # -> [B, T, D]
        return context, weights

    def compute_output_spec(self, query, memory):
        batch, time, _ = query.shape
        _, places, depth = memory.values.shape
        return (
            keras.KerasTensor((batch, time, depth), dtype=self.compute_dtype),
            keras.KerasTensor((batch, time, places), dtype="float32"),
        )

    def lay_out(self, keys: Tensor) -> Tensor:
        """Returns projected keys [B, S, units] as `energy` takes them."""
        return keys

    def energy(self, query: Tensor, keys: Tensor) -> Tensor:
        """Compares queries [B, T, units] with keys: -> [B, T, S]."""
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="ostinato")
class AdditiveAttention(_Attention):
    """Looks at a memory, weighted by how well each place fits the query, compared by a small network.

    Args:
      units: size of the space in which queries and keys are compared.

    Call arguments:
      query: float [B, T, Q].
      memory: `Memory`, as `remember` makes it.

    Returns:
      context float [B, T, D], weights float32 [B, T, S] that sum to 1 over the kept places.

    Reference: Bahdanau et al. 2015, section 3.1.
    """

    def build(self, query_shape, memory_shape):
        self.scale = self.add_weight(shape=(self.units, 1), initializer="glorot_uniform", name="scale")
        super().build(query_shape, memory_shape)

    def energy(self, query, keys):
        compared = ops.tanh(query[:, :, None, :] + keys[:, None, :, :])  # -> [B, T, S, units]
        return ops.squeeze(ops.matmul(compared, self.scale), axis=-1)  # -> [B, T, S]


@keras.saving.register_keras_serializable(package="ostinato")
class MultiplicativeAttention(_Attention):
    """Looks at a memory, weighted by how well each place fits the query, compared by a dot product.

    Costs a matrix product where additive attention costs a tanh for every query, place and unit, hence several times
    less on long memories.

    Args:
      units: size of the space in which queries and keys are compared.

    Call arguments:
      query: float [B, T, Q].
      memory: `Memory`, as `remember` makes it.

    Returns:
      context float [B, T, D], weights float32 [B, T, S] that sum to 1 over the kept places.

    Reference: Luong et al. 2015, section 3.1 (general), scaled as in Vaswani et al. 2017, section 3.2.1.
    """

    def lay_out(self, keys):
        # A product that turns them itself takes twice the time, at every token.
        return ops.transpose(keys, (0, 2, 1)) * self.units**-0.5  # -> [B, units, S]

    def energy(self, query, keys):
        return ops.matmul(query, keys)  # -> [B, T, S]
