"""Graphs of functions, where the backend has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras


def compiled(function: Callable, signature: Sequence[Any] | None = None) -> Callable:
    """Makes one graph of a function where TensorFlow runs; other backends take it as it is.

    Args:
      function: of tensors.
      signature: of each argument a `keras.KerasTensor`, or a nest of them, with None for sizes that vary: the graph is
        made now, once, for all of these. Without it, it is made when arguments come, and once more when others do.
    """
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    graph = tf.function(function, reduce_retracing=True, autograph=False)
    if signature is None:
        return graph
    return graph.get_concrete_function(
        *keras.tree.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), list(signature))
    )
