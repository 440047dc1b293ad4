"""Settings of a user as scalar inputs of a signature, which hold for the whole call."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf


def setting_specs(settings: Mapping[str, Any]) -> list[tf.TensorSpec]:
    """Returns the specs of settings by name, float32 where the default is a float and int32 elsewhere."""
    import tensorflow as tf

    return [
        tf.TensorSpec([], tf.float32 if isinstance(value, float) else tf.int32, name=name)
        for name, value in settings.items()
    ]


def setting_tensors(settings: Any) -> dict[str, tf.Tensor]:
    """Returns the fields of a dataclass by name, as tensors of the types that `setting_specs` gives its defaults."""
    import tensorflow as tf

    # by the type of the default: a caller in Python may well write 1 for 1.0
    specs = setting_specs({field.name: field.default for field in dataclasses.fields(settings)})
    return {spec.name: tf.constant(getattr(settings, spec.name), spec.dtype) for spec in specs}
