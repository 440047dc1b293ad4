"""Attention pooling as running sums: what a whole stream looks like so far, at constant cost for each frame."""

from __future__ import annotations

import keras
from keras import ops

_ENERGY_BOUND = 5.0  # weights lie between e^-5 and e^5: no frame outweighs an hour, and no sum overflows


@keras.saving.register_keras_serializable(package="ostinato")
class RunningAttentionPooling(keras.layers.Layer):
    """Averages the frames so far, weighted by how much each has to say.

    As a loop over frames:

        for value in values:
            weight = exp(5 * tanh(energy(value)))
            weighted_sum, weight_sum = weighted_sum + weight * value, weight_sum + weight
            pooled = weighted_sum / weight_sum

    A softmax would have to know the largest energy of the stream; a bound on the energies makes that needless, so that
    sums can be carried from frame to frame. They are float32 whatever the layer computes in: bfloat16 would stop
    growing after some hundred frames.

    What is summed is how far values lie from a reference: the average so far or, at the start of a stream, its first
    value. Sums of the values themselves grow until each addition loses as much as it adds, in the numerator other than
    in the denominator: after 60,000 equal frames their quotient would be 0.4 % off. Of sums of differences, which stay
    small, only a weight that is a sixteen-millionth of all before it is lost, and so little is what it deserves.

    Call arguments:
      values: float [B, F, D].
      weighted_sum: float32 [B, D], zeros at the start of a stream.
      weight_sum: float32 [B, 1], zero at the start of a stream and positive ever after.
      mask: bool [B, F], True = keep, or None where every frame counts.

    Returns:
      pooled float32 [B, F, D] of the frames up to and with each one, zero while none was kept; weights float32 [B, F],
      zero where masked; weighted_sum and weight_sum after the last frame.

    Reference: Yang et al. 2016, section 2.2 (attention pooling); Katharopoulos et al. 2020, section 3.2 (as sums).
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.energy = keras.layers.Dense(1, dtype=self.dtype_policy, name="energy")

    def build(self, values_shape):
        self.energy.build(values_shape)
        self.built = True

    def call(self, values, weighted_sum, weight_sum, mask=None):
        values = ops.cast(values, "float32")
        weights = ops.exp(_ENERGY_BOUND * ops.tanh(self.energy(values)))  # -> [B, F, 1]
        if mask is not None:
            weights = ops.where(mask[:, :, None], weights, 0.0)
        weight_sums = weight_sum[:, None] + ops.cumsum(weights, axis=1)  # -> [B, F, 1]
        first = ops.where((weight_sum == 0) & (weights[:, 0] > 0), values[:, 0], 0.0)  # a masked one may be anything
        # The result does not depend on it, rounding aside, and so neither do gradients.
        reference = ops.stop_gradient(first + weighted_sum / ops.maximum(weight_sum, keras.config.epsilon()))
        left_over = weighted_sum - reference * weight_sum  # what rounding has left of zero
        differences = left_over[:, None] + ops.cumsum(weights * (values - reference[:, None]), axis=1)  # -> [B, F, D]
        pooled = reference[:, None] + differences / ops.maximum(weight_sums, keras.config.epsilon())
        return pooled, weights[:, :, 0], pooled[:, -1] * weight_sums[:, -1], weight_sums[:, -1]
