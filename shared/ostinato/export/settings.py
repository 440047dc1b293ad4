"""Settings of a user as scalar inputs of a signature, which hold for the whole call."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ostinato.config import Limits

if TYPE_CHECKING:
    import tensorflow as tf


def setting_specs(settings: Mapping[str, Any]) -> list[tf.TensorSpec]:
    """Returns the specs of settings by name, float32 where the default is a float and int32 elsewhere."""
    import tensorflow as tf

    return [
        tf.TensorSpec([], tf.float32 if isinstance(value, float) else tf.int32, name=name)
        for name, value in settings.items()
    ]


def within_limits(settings: Mapping[str, tf.Tensor], limits: Limits) -> dict[str, tf.Tensor]:
    """Returns the settings of a call for a graph that insists on the limits: a server's memory is not its clients'.

    Args:
      settings: scalars by name.
      limits: of some of them.

    Raises:
      tf.errors.InvalidArgumentError: as the graph runs, a number is not within its limits.
    """
    import tensorflow as tf

    checked = dict(settings)
    for name in limits.keys() & settings.keys():
        value, (least, most) = settings[name], limits[name]
        fits = tf.logical_and(value >= tf.cast(least, value.dtype), value <= tf.cast(most, value.dtype))
        fault = f"{name} is not within {least} and {most}:"
        assertion = tf.debugging.Assert(fits, [fault, value], name=f"check_{name}")
        with tf.control_dependencies([] if assertion is None else [assertion]):
            checked[name] = tf.identity(value)
    return checked


def setting_arrays(settings: Any) -> dict[str, np.ndarray]:
    """Returns the fields of a dataclass by name, as scalars of the types that `setting_specs` gives its defaults."""
    # by the type of the default: a caller in Python may well write 1 for 1.0
    return {
        field.name: np.array(
            getattr(settings, field.name), np.float32 if isinstance(field.default, float) else np.int32
        )
        for field in dataclasses.fields(settings)
    }
