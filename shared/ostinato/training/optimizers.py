"""The optimizer of every application: AdamW, warm-up and cosine, clipping, averaged weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="ostinato")
class AveragingAdamW(keras.optimizers.AdamW):
    """AdamW whose average is there to be looked at, and that trains on from it only when it is told to.

    Keras's own puts the average in the place of the weights whenever `fit` ends. Each epoch is a `fit` of its own here,
    so that every epoch would begin with weights that lag behind.
    """

    def finalize_variable_values(self, var_list: Sequence[keras.Variable]) -> None:
        """Leaves the weights as they are; see `averaged_weights`."""


def make_optimizer(
    *,
    learning_rate: float,
    num_updates: int,
    warmup_updates: int = 0,
    weight_decay: float = 0.0,
    gradient_clip: float = 1.0,
    averaging: float = 0.0,
    lookahead_updates: int = 0,
) -> keras.optimizers.Optimizer:
    """Returns AdamW (Loshchilov and Hutter 2019) whose learning rate rises linearly, then falls as a half cosine.

    Args:
      learning_rate: greatest learning rate, reached after the warm-up.
      num_updates: updates until the learning rate is 0.
      warmup_updates: updates of the linear rise, at most half of all.
      weight_decay: as in AdamW, applied to matrices; biases and normalisation are left alone.
      gradient_clip: greatest norm of all gradients together (Pascanu et al. 2013).
      averaging: momentum of the exponential moving average of the weights (Polyak and Juditsky 1992), in [0, 1); 0 for
        none. The average is what `averaged_weights` shows.
      lookahead_updates: after so many updates, again and again, training goes on from the average: fast weights
        explore, slow ones follow, as in Lookahead (Zhang et al. 2019). Few data are known by heart more slowly. 0 for
        never.

    Raises:
      ValueError: a lookahead without an average.
    """
    if lookahead_updates and not averaging:
        raise ValueError("a lookahead goes on from the average of the weights; give averaging, too")
    warmup_updates = min(warmup_updates, num_updates // 2)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_updates else learning_rate,
        decay_steps=max(num_updates - warmup_updates, 1),
        warmup_target=learning_rate if warmup_updates else None,
        warmup_steps=warmup_updates,
    )
    optimizer = AveragingAdamW(
        schedule,
        weight_decay=weight_decay,
        global_clipnorm=gradient_clip,
        use_ema=averaging > 0,
        ema_momentum=averaging or 0.99,
        ema_overwrite_frequency=lookahead_updates or None,
    )
    # `bias`, `output_bias`, and under TensorFlow `bias:0`; but not the kernel of a layer that is called so
    optimizer.exclude_from_weight_decay(var_names=[r"(^|[/_])(bias|gamma|beta)(:\d+)?$"])
    return optimizer


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Within the context the model has its averaged weights; afterwards those that training goes on with.

    Where there is no average (none was asked for, or nothing was trained yet) the weights stay as they are.
    """
    if not model.optimizer.use_ema or np.asarray(model.optimizer.iterations) == 0:
        yield
        return
    current = [np.asarray(variable).copy() for variable in model.trainable_variables]
    try:
        keras.optimizers.AdamW.finalize_variable_values(model.optimizer, model.trainable_variables)
        yield
    finally:
        for variable, value in zip(model.trainable_variables, current, strict=True):
            variable.assign(value)
