"""Features brought to mean 0 and deviation 1, as they were in the training data."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

_LEAST_DEVIATION = 1e-3  # a feature that hardly ever changes is not blown up to noise


@keras.saving.register_keras_serializable(package="ostinato")
class Standardisation(keras.layers.Layer):
    """Subtracts the mean of each feature and divides by its standard deviation.

    Both are weights, so that they are saved, averaged and exported with the others; until `adapt` sets them the
    features pass unchanged. (`keras.layers.Normalization` would read all the data itself, or keep both in the
    configuration.)

    Call arguments:
      features: float [..., D].

    Returns:
      float32 [..., D].
    """

    def build(self, features_shape):
        size = (features_shape[-1],)
        self.mean = self.add_weight(name="mean", shape=size, initializer="zeros", trainable=False, dtype="float32")
        self.deviation = self.add_weight(
            name="deviation", shape=size, initializer="ones", trainable=False, dtype="float32"
        )
        self.built = True

    def adapt(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Takes the statistics of the training data, float [D] each."""
        self.mean.assign(mean)
        self.deviation.assign(np.maximum(deviation, _LEAST_DEVIATION))

    def call(self, features):
        return (ops.cast(features, "float32") - self.mean) / self.deviation

    def compute_output_shape(self, features_shape):
        return features_shape
