"""Bodies in JSON, from anybody: read in bounded time, or refused in the words of TensorFlow Serving."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from ostinato.serving.errors import ServingError

_SHOWN = 100  # characters of a value in a message
_MAX_LISTS = 3_000_000  # the pixels of a clip of 32 frames are half as many
_SMALL = 100_000  # bytes of a body that collecting garbage does not hold up


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds; NaN and infinities are numbers.

    Raises:
      ServingError: INVALID_ARGUMENT, it is no JSON, no object, too deep, or has so many lists that others would wait.
    """
    if not body:
        refuse("JSON Parse error: The document is empty")
    if body.count(b"[") + body.count(b"{") > _MAX_LISTS:
        refuse(f"JSON Parse error: More than {_MAX_LISTS} lists and objects; send less at a time.")
    try:
        with _without_collecting(len(body)):
            document = json.loads(body.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        refuse(f"JSON Parse error: {error.msg} at offset: {error.pos}")
    except UnicodeDecodeError as error:
        refuse(f"JSON Parse error: Invalid encoding in string. at offset: {error.start}")
    except ValueError:  # a whole number of thousands of digits
        refuse("JSON Parse error: Number too big to be stored in double.")
    except RecursionError:
        refuse("JSON Parse error: Nested too deeply.")
    if not isinstance(document, dict):
        refuse(f"JSON Value: {shown(document)} Is not object")
    return document


@contextmanager
def _without_collecting(num_bytes: int) -> Iterator[None]:
    """Python looks through all lists again and again while millions are made, which takes five times as long."""
    if num_bytes < _SMALL or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def shown(value: Any) -> str:
    """The beginning of a value, however deep or long it is."""
    if isinstance(value, str):
        return json.dumps(cut(value))
    if isinstance(value, list):
        return f"[ {len(value)} values ]"
    if isinstance(value, dict):
        return f"{{ {cut(', '.join(map(json.dumps, list(value)[:5])))} }}"
    return json.dumps(value) if not isinstance(value, int) or abs(value) < 10**_SHOWN else "a number of many digits"


def cut(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def refuse(message: str) -> NoReturn:
    """Raises ServingError, INVALID_ARGUMENT."""
    raise ServingError("INVALID_ARGUMENT", message)
