"""Graphs of functions, where the backend has them."""

from __future__ import annotations

from collections.abc import Callable

import keras


def compiled(function: Callable) -> Callable:
    """Makes one graph of a function where TensorFlow runs; other backends take it as it is."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function, reduce_retracing=True, autograph=False)
