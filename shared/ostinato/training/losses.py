"""What training minimises."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="ostinato")
class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross entropy of token ids against logits, with label smoothing, weighted token by token.

    Of the probability of each target, `smoothing` is spread evenly over the vocabulary: with y the target,
    -sum_v q_v log p_v equals -(1 - smoothing) * log p_y - smoothing * mean log p.

    Args:
      smoothing: share of the probability that is spread, in [0, 1).
      reduction: `mean_with_sample_weight` divides by the sum of the weights, so that padding (weight 0) does not
        count. `sum_over_batch_size` divides by the number of places, for weights that may be negative (rewards).
      temperature: what logits are divided by, above 0. Above 1 the network learns at a higher temperature than that at
        which it writes (as in Hinton et al. 2015, section 2): it writes more sharply than smoothing asks for.

    Call arguments:
      y_true: int [..., T], target token ids.
      y_pred: float [..., T, V], logits.
      sample_weight: float [..., T], 0 at padding.

    Returns:
      float32 scalar, nats a token.

    Reference: Szegedy et al. 2016, section 7.
    """

    def __init__(
        self,
        smoothing: float = 0.0,
        reduction: str = "mean_with_sample_weight",
        *,
        temperature: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(reduction=reduction, **kwargs)
        self.smoothing = smoothing
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns float32 [..., T], the loss of each token."""
        logits = ops.cast(y_pred, "float32") / self.temperature
        target_ids = ops.cast(y_true, "int32")
        if not self.smoothing:
            return ops.sparse_categorical_crossentropy(target_ids, logits, from_logits=True)
        log_probs = ops.log_softmax(logits, axis=-1)
        # Multiplied by ones and zeros rather than looked up: the gradient of a look-up is a slow scattering.
        is_target = ops.one_hot(target_ids, ops.shape(logits)[-1], dtype="float32")
        target_log_probs = ops.sum(is_target * log_probs, axis=-1)
        return -(1 - self.smoothing) * target_log_probs - self.smoothing * ops.mean(log_probs, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "smoothing": self.smoothing, "temperature": self.temperature}
