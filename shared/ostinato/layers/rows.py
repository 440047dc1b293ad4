"""Sequences side by side as the rows of a matrix."""

from __future__ import annotations

from typing import Any

from keras import ops

from ostinato.gathering import take

Tensor = Any  # a tensor of whichever Keras backend runs


class Rows:
    """Turns what is known of K sequences of each of B inputs into R rows, and back.

    Args:
      token_ids: [B, K], or any other tensor of these sizes.
      going: bool [B, K], which of the sequences anything is to be computed for, one or more in all; R is their number,
        so that the backend must allow sizes that depend on values. None for all of them: R = B * K.
    """

    def __init__(self, token_ids: Tensor, going: Tensor | None = None):
        self._shape = ops.shape(token_ids)
        self._rows: Tensor = None
        self._places: Tensor = None
        if going is not None:
            flat = ops.reshape(going, (-1,))
            self._rows = ops.cast(ops.nonzero(flat)[0], "int32")  # -> [R]
            places = ops.maximum(ops.cumsum(ops.cast(flat, "int32")) - 1, 0)  # of each sequence among the rows
            self._places = ops.reshape(places, self._shape)

    @property
    def inputs(self) -> Tensor:
        """Which input each row belongs to, int32 [R]."""
        batch, num_sequences = self._shape
        rows = ops.arange(batch * num_sequences, dtype="int32") if self._rows is None else self._rows
        return rows // num_sequences

    def merge(self, x: Tensor) -> Tensor:
        """Returns the rows [R, ...] of x [B, K, ...]."""
        flat = ops.reshape(x, (-1, *ops.shape(x)[2:]))
        return flat if self._rows is None else take(flat, self._rows)

    def spread(self, x: Tensor) -> Tensor:
        """Returns rows x [R, ...] as [B, K, ...]. Sequences that are not going have the row of another one."""
        if self._places is None:
            return ops.reshape(x, (*self._shape, *ops.shape(x)[1:]))
        return take(x, self._places)
