"""Dtypes by the names that interfaces give them, without TensorFlow."""

from typing import Any

import numpy as np


def array_dtype(name: str) -> np.dtype:
    """Returns NumPy's dtype of a tensor; strings are objects (bytes), as NumPy's own would lose trailing zero bytes."""
    if name == "string":
        return np.dtype(object)
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def as_array(value: Any, name: str) -> np.ndarray:
    """Returns numbers, truth values, bytes or text (as UTF-8), nested or not, as an array of a tensor's dtype.

    Raises:
      ValueError: the value is of another kind, or does not fit: nothing is rounded to an integer or cut off.
    """
    if name == "string":
        return _strings(np.asarray(value, object))
    array, dtype = np.asarray(value), array_dtype(name)
    if array.dtype == dtype:
        return array
    if not np.can_cast(array.dtype, dtype, "same_kind") and not (array.dtype.kind == "i" and dtype.kind == "u"):
        raise ValueError(f"is {array.dtype} instead of {name}")
    with np.errstate(over="ignore"):
        converted = array.astype(dtype)
    if array.dtype.kind in "iu" and not np.array_equal(converted.astype(array.dtype), array):
        raise ValueError(f"holds numbers that are no {name}")
    return converted


def _strings(array: np.ndarray) -> np.ndarray:
    strings = np.empty(array.shape, object)
    for place, value in np.ndenumerate(array):
        if not isinstance(value, str | bytes):
            raise ValueError(f"holds {type(value).__name__} instead of text or bytes")
        strings[place] = value.encode() if isinstance(value, str) else value
    return strings
