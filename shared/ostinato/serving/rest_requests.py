"""From the body of a `:predict` request to arrays, as TensorFlow Serving reads it (its json_tensor.cc).

Rows (`instances`) or columns (`inputs`), each value of exactly the kind that its dtype wants: whole numbers for
integers, text or `{"b64": "..."}` for strings. What Python's JSON would let pass and TensorFlow Serving would not is
refused here.

Reference: TensorFlow Serving, "RESTful API".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NoReturn

import numpy as np

from ostinato.serving.errors import ServingError
from ostinato.serving.json_body import cut, parse_object, refuse, shown
from ostinato.serving.json_values import bytes_of, is_base64, kind_of
from ostinato.serving.servable import Signature, TensorInfo

_EXPLAINED_ROWS = 10_000  # one by one; for those after them the fault must be known without the row
_MAX_RANK = 32  # NumPy has 64, ops of TensorFlow about 8
_INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint32", "uint64"}
_FLOATS = {"float32": "float", "float64": "double"}


@dataclass(frozen=True)
class PredictRequest:
    """What a body asks for.

    Attributes:
      signature_name: of the signature; `serving_default` where the body names none.
      inputs: arrays by name.
      by_rows: whether the answer goes by rows too.
    """

    signature_name: str
    inputs: dict[str, np.ndarray]
    by_rows: bool


def read_request(body: bytes, find_signature: Callable[[str], Signature]) -> PredictRequest:
    """Reads a body.

    Args:
      body: as it came.
      find_signature: from a name to the signature; raises ServingError where there is none.

    Raises:
      ServingError: INVALID_ARGUMENT, with the words of TensorFlow Serving; UNIMPLEMENTED, a dtype without JSON form.
    """
    document = parse_object(body)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        refuse(f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value.")
    signature = find_signature(name)
    if not signature.inputs:
        refuse(f"Failed to get input map for signature: {name or 'DEFAULT'}")
    if "instances" in document and "inputs" in document:
        refuse(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist "
        )
    if "instances" in document:
        columns = _columns_of_rows(document["instances"], signature.inputs)
        inputs = {name: _row_array(name, column, signature.inputs[name]) for name, column in columns.items()}
    elif "inputs" in document:
        columns = _columns(document["inputs"], signature.inputs)
        inputs = {name: _array(column, signature.inputs[name]) for name, column in columns.items()}
    else:
        refuse("Missing 'inputs' or 'instances' key")
    if any(array.dtype.kind == "f" and np.isinf(array).any() for array in inputs.values()) and b"Inf" not in body:
        refuse("JSON Parse error: Number too big to be stored in double.")  # Python takes 1e999 for infinity
    return PredictRequest(name or "serving_default", inputs, "instances" in document)


def _columns_of_rows(rows: Any, infos: Mapping[str, TensorInfo]) -> dict[str, list[Any]]:
    if not isinstance(rows, list):
        refuse(f"JSON Value: {shown(rows)} Excepting 'instances' to be an list/array")
    if not rows:
        refuse("JSON Value: [] No values in 'instances' array")
    if not _is_object(rows[0]):
        if len(infos) != 1:
            refuse(
                "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
                "tensorinfo_map"
            )
        for index, row in enumerate(rows) if dict in set(map(type, rows)) else ():
            if _is_object(row):
                refuse(f"Expecting value/list but got object at item {index} of input list")
        return {next(iter(infos)): rows}
    for index, row in enumerate(rows):
        if not _is_object(row):
            refuse(f"Expecting object but got list at item {index} of input list")
        if row.keys() == infos.keys():
            continue
        for name in row:
            if name not in infos:
                _refuse_row(index, name, f"JSON object: does not have named input: {cut(name)}")
        refuse(
            f"Failed to process element: {index} of 'instances' list. JSON object: {shown(row)} keys must be equal "
            f"to: {','.join(sorted(infos))}"
        )
    return {name: [row[name] for row in rows] for name in infos}


def _columns(columns: Any, infos: Mapping[str, TensorInfo]) -> dict[str, Any]:
    if not _is_object(columns):
        if len(infos) != 1:
            refuse(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        return {next(iter(infos)): columns}
    for name in infos:
        if name not in columns:
            refuse(f"Missing named input: {name} in 'inputs' object.")
    return {name: columns[name] for name in infos}


def _is_object(value: Any) -> bool:
    """Whether a value is an object, other than one that stands for bytes."""
    return isinstance(value, dict) and not is_base64(value)


def _row_array(name: str, rows: list[Any], info: TensorInfo) -> np.ndarray:
    """A column of rows; where they do not go together the first one that is to blame is named."""
    try:
        return _array(rows, info)
    except ServingError as error:
        shape = None
        for index, row in enumerate(rows[:_EXPLAINED_ROWS]):
            try:
                array = _array(row, info)
            except ServingError as failure:
                if failure.code != "INVALID_ARGUMENT":
                    raise
                _refuse_row(index, name, failure.message)
            shape = array.shape if shape is None else shape
            if array.size != math.prod(shape):
                _refuse_row(index, name, f"Expecting tensor size: {math.prod(shape)} but got: {array.size}")
            if array.shape != shape:
                _refuse_row(index, name, f"Expecting shape {list(shape)} but got: {list(array.shape)}")
        raise error


def _array(value: Any, info: TensorInfo) -> np.ndarray:
    shape, values = _flat(value)
    if info.dtype == "string":
        array = np.empty(len(values), object)
        array[:] = [bytes_of(each) for each in values]
    elif info.dtype == "bool":
        _check_types(values, {bool}, "bool")
        array = np.array(values, bool)
    elif info.dtype in _INTEGERS:
        array = _integers(values, info.dtype)
    elif info.dtype in _FLOATS:
        array = _floats(values, info.dtype)
    else:
        raise ServingError("UNIMPLEMENTED", f"Conversion of JSON Value: {shown(value)} to type: {info.dtype}")
    return array.reshape(shape)


def _flat(value: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested lists, and what they hold; level by level, so that long lists cost little."""
    shape: list[int] = []
    values = [value]
    while list in (types := set(map(type, values))):
        if len(types) > 1:
            wrong = next(each for each in values if not isinstance(each, list))
            refuse(
                f"JSON Value: {shown(wrong)} found at incorrect level: {len(shape) + 1} in the JSON DOM. "
                f"Expected at level: {len(shape) + 2}"
            )
        sizes = set(map(len, values))
        if len(sizes) > 1:
            expected = len(values[0])
            other = next(len(each) for each in values if len(each) != expected)
            refuse(f"Encountered list at unexpected size: {other} at level: {len(shape)} expected size: {expected}")
        shape.append(sizes.pop())
        if len(shape) > _MAX_RANK:
            refuse(f"Encountered lists at more than {_MAX_RANK} levels; no tensor has that many")
        values = list(chain.from_iterable(values))
    return tuple(shape), values


def _integers(values: list[Any], dtype: str) -> np.ndarray:
    _check_types(values, {int}, dtype)
    limits = np.iinfo(dtype)
    if values and not (limits.min <= min(values) and max(values) <= limits.max):
        wrong = next(value for value in values if not limits.min <= value <= limits.max)
        refuse(f"JSON Value: {shown(wrong)} Type: Number is not of expected type: {dtype}")
    return np.array(values, dtype)


def _floats(values: list[Any], dtype: str) -> np.ndarray:
    _check_types(values, {int, float}, _FLOATS[dtype])
    # As TensorFlow Serving has it: whole numbers must keep all their digits, others need only be in range.
    whole = 2 ** (np.finfo(dtype).nmant + 1) - 1
    for value in (value for value in values if type(value) is int) if int in set(map(type, values)) else ():
        if not -whole <= value <= whole:
            refuse(f"Cannot convert JSON value: {shown(value)} to {_FLOATS[dtype]} without loss of precision.")
    array = np.array(values, np.float64)
    too_large = np.isfinite(array) & (np.abs(array) > np.finfo(dtype).max)
    if too_large.any():
        refuse(f"Cannot convert JSON value: {array[too_large][0]} to {_FLOATS[dtype]} without loss of precision.")
    return array.astype(dtype)


def _check_types(values: list[Any], types: set[type], expected: str) -> None:
    if not set(map(type, values)) <= types:
        wrong = next(value for value in values if type(value) not in types)
        refuse(f"JSON Value: {shown(wrong)} Type: {kind_of(wrong)} is not of expected type: {expected}")


def _refuse_row(index: int, name: str, message: str) -> NoReturn:
    refuse(
        f"Failed to process element: {index} key: {cut(name)} of 'instances' list. Error: INVALID_ARGUMENT: {message}"
    )
