"""Arrays in the messages of TensorFlow, and back, for those who trust the other side and those who do not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tensorflow.python.framework import dtypes, tensor_util

from ostinato.serving.errors import ServingError


def to_proto(array: np.ndarray) -> Any:
    """Returns the `TensorProto` of an array; strings are object arrays of bytes."""
    return tensor_util.make_tensor_proto(array, dtypes.string if array.dtype.hasobject else None, array.shape)


def from_proto(name: str, proto: Any, max_bytes: int) -> np.ndarray:
    """Returns the array of a `TensorProto` that a stranger has sent.

    A message may give one value for a whole tensor, so that a few bytes can ask for any amount of memory.

    Args:
      name: of the input, for messages.
      proto: the message.
      max_bytes: size of the array at most.

    Raises:
      ServingError: INVALID_ARGUMENT, the message is no tensor, or a larger one.
    """
    sizes = [dim.size for dim in proto.tensor_shape.dim]
    if any(size < 0 for size in sizes):
        raise ServingError("INVALID_ARGUMENT", f"Input {name} has the shape {sizes}.")
    is_text = proto.dtype == dtypes.string.as_datatype_enum
    try:
        item_size = 8 if is_text else np.dtype(dtypes.as_dtype(proto.dtype).as_numpy_dtype).itemsize
    except (KeyError, TypeError) as error:
        raise ServingError("INVALID_ARGUMENT", f"Input {name} has a dtype that no model takes.") from error
    if math.prod(sizes) * item_size > max_bytes:
        raise ServingError("INVALID_ARGUMENT", f"Input {name} of shape {sizes} is larger than {max_bytes} bytes.")
    if is_text and len(proto.string_val) != math.prod(sizes):
        raise ServingError(
            "INVALID_ARGUMENT", f"Input {name} of shape {sizes} comes with {len(proto.string_val)} strings."
        )
    try:
        return tensor_util.MakeNdarray(proto)
    except (TypeError, ValueError, OverflowError) as error:
        raise ServingError("INVALID_ARGUMENT", f"Input {name} holds values that do not make its shape.") from error
