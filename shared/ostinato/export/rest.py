"""Arrays in the form of TensorFlow Serving's REST interface, and back.

A request is given by rows (`instances`), or by columns (`inputs`) where an input is scalar, as rows have no place for a
setting of the whole call; the answer has the form of the request. Binary inputs are `{"b64": "..."}`; so are outputs
whose name ends in `_bytes`, as the server does it. All other strings are text. A single output is answered without its
name.
Reference: TensorFlow Serving, "RESTful API".
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ostinato.export.dtypes import array_dtype

if TYPE_CHECKING:
    from ostinato.export.saved_graph import TensorDescription


def to_request(signature: str, inputs: Mapping[str, np.ndarray], binary_inputs: Collection[str]) -> dict[str, Any]:
    """The body of `POST .../MODEL:predict` for a call; strings are object arrays of bytes."""
    columns = to_columns(signature, inputs, binary_inputs)
    if all(array.ndim for array in inputs.values()):
        return {"signature_name": signature, "instances": _rows(columns["inputs"])}
    return columns


def to_columns(signature: str, inputs: Mapping[str, np.ndarray], binary_inputs: Collection[str]) -> dict[str, Any]:
    """The same body by columns, whatever the inputs are: it is shorter, and a call without any item can be asked."""
    columns = {name: _plain(array, name in binary_inputs) for name, array in inputs.items()}
    return {"signature_name": signature, "inputs": columns}


def to_answer(request: Mapping[str, Any], outputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The server's answer to a request, given the outputs of the call."""
    columns = {name: _plain(array, name.endswith("_bytes")) for name, array in outputs.items()}
    bare = next(iter(columns.values())) if len(columns) == 1 else None
    if "instances" in request:
        return {"predictions": _rows(columns) if bare is None else bare}
    return {"outputs": columns if bare is None else bare}


def from_request(request: Mapping[str, Any], inputs: Mapping[str, TensorDescription]) -> dict[str, np.ndarray]:
    """The inputs that `to_request` was given.

    Raises:
      KeyError, TypeError, ValueError: an input is missing, or has values of another kind or shape.
    """
    return _arrays(_columns(request["instances"], inputs) if "instances" in request else request["inputs"], inputs)


def from_answer(answer: Mapping[str, Any], outputs: Mapping[str, TensorDescription]) -> dict[str, np.ndarray]:
    """The outputs that `to_answer` was given. Raises as `from_request`."""
    values = answer["predictions"] if "predictions" in answer else answer["outputs"]
    if len(outputs) == 1:
        return _arrays(dict.fromkeys(outputs, values), outputs)
    return _arrays(_columns(values, outputs) if "predictions" in answer else values, outputs)


def _rows(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _columns(rows: Collection[Mapping[str, Any]], names: Collection[str]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}


def _arrays(columns: Mapping[str, Any], descriptions: Mapping[str, TensorDescription]) -> dict[str, np.ndarray]:
    return {
        name: np.array(_each(columns[name], _bytes), object)
        if description.dtype == "string"
        else np.array(columns[name], array_dtype(description.dtype))
        for name, description in descriptions.items()
    }


def _plain(array: np.ndarray, binary: bool) -> Any:
    """Nested lists of what JSON has; a scalar bare."""
    if array.dtype == object:
        return _each(array.tolist(), _base64 if binary else _text)
    if array.dtype.kind in "biu":
        return array.tolist()
    wide_enough = array.astype(np.float32) if array.dtype.name == "bfloat16" else array
    return _each(wide_enough.astype(str).tolist(), float)  # 0.1 for float32 0.1, not 0.10000000149011612


def _each(value: Any, convert: Callable[[Any], Any]) -> Any:
    return [_each(each, convert) for each in value] if isinstance(value, list) else convert(value)


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _bytes(value: Any) -> bytes:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode()
