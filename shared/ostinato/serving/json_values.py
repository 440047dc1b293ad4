"""Single values of a body in JSON: which kind they are of, and the bytes that they stand for."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ostinato.serving.json_body import refuse, shown

_NAMES: dict[type, str] = {dict: "Object", list: "Array", str: "String"}


def kind_of(value: Any) -> str:
    """The name of a value's type, as TensorFlow Serving says it."""
    if value is None:
        return "Null"
    return str(value) if isinstance(value, bool) else _NAMES.get(type(value), "Number")


def is_base64(value: Any) -> bool:
    """Whether a value is an object that stands for bytes."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def bytes_of(value: Any) -> bytes:
    """Those of a text, or of an object that stands for bytes.

    Raises:
      ServingError: INVALID_ARGUMENT, it is neither.
    """
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            refuse("JSON Parse error: The surrogate pair in string is invalid.")
    if not isinstance(value, dict):
        refuse(f"JSON Value: {shown(value)} Type: {kind_of(value)} is not of expected type: string")
    if not is_base64(value):
        refuse(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except ValueError:
        pass
    # Padding may be left out, and white space may be anywhere, as in Abseil's `Base64Unescape`.
    plain = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        refuse("Unable to base64 decode")
