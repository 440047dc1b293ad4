"""What `predict` was given: texts, files, or standard input, each text with the fields to be passed through."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ostinato.commands.application import STANDARD_INPUT
from ostinato.errors import InputError
from ostinato_translate.lines import open_binary

_JSON_OBJECT = re.compile(r'\s*\{\s*["}]')
_SHOWN = 40  # characters of a text that say which one it is


@dataclasses.dataclass(frozen=True)
class TextInput:
    """One text to translate."""

    name: str
    """what the user would call it"""
    text: str | InputError
    """or what is wrong with it"""
    translation: str = ""
    """where translations are to be scored, the one that was given"""
    fields: dict[str, Any] = dataclasses.field(default_factory=dict)
    """of the JSON line that held it"""
    is_line: bool = False
    """whether it came from a file, whose lines keep their numbers"""


def read_inputs(
    arguments: Sequence[str], files: Sequence[Path], standard_input: BinaryIO, *, scored: bool = False
) -> Iterator[TextInput]:
    """Yields texts in the order given, as they are read. A faulty one says what is wrong; the others go on.

    Args:
      arguments: texts, or `-` for standard input.
      files: read line by line, those that end in `.gz` decompressed; standard input as well. Where the first line
        that is not empty is a JSON object, each line is one with a field `text`.
      standard_input: read where an argument or a file says so.
      scored: each text has a translation: behind a tab, or in the field `translation`.

    Raises:
      OSError: a file cannot be read.
    """
    for number, argument in enumerate(arguments, start=1):
        if argument in ("-", STANDARD_INPUT):
            yield from _read_lines("standard input", standard_input, scored)
        else:
            yield _read_argument(argument, number, scored)
    for path in files:
        if str(path) in ("-", STANDARD_INPUT):
            yield from _read_lines("standard input", standard_input, scored)
        else:
            with open_binary(path) as file:
                yield from _read_lines(str(path), file, scored)


def _read_argument(argument: str, number: int, scored: bool) -> TextInput:
    shown = argument if len(argument) <= _SHOWN else argument[:_SHOWN].rstrip() + "\u2026"
    try:
        argument.encode()
    except UnicodeEncodeError:  # bytes of the command line that are none reach Python as lone surrogates
        return TextInput(f"text {number}", InputError(f"text {number} is no UTF-8; give it in a terminal that is"))
    name = f'"{shown}"'
    return _with_translation(name, argument) if scored else TextInput(name, argument)


def _read_lines(source: str, lines: Iterable[bytes], scored: bool) -> Iterator[TextInput]:
    holds_json: bool | None = None  # not known yet
    for number, line in enumerate(lines, start=1):
        name = f"{source}, line {number}"
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            fault = InputError(f"{name} is no UTF-8 ({error.reason}); save the text as UTF-8")
            yield TextInput(name, fault, is_line=True)
            continue
        if holds_json is None and text.strip():
            holds_json = bool(_JSON_OBJECT.match(text))
        if not text.strip():
            read = TextInput(name, "")
        elif holds_json:
            read = _read_json_line(name, text, scored)
        else:
            read = _with_translation(name, text) if scored else TextInput(name, text)
        yield dataclasses.replace(read, is_line=True)


def _read_json_line(name: str, line: str, scored: bool) -> TextInput:
    try:
        fields = json.loads(line)
    except ValueError:
        return TextInput(name, InputError(f"{name} is no JSON object; check its quotes and commas"))
    if not isinstance(fields, dict):
        return TextInput(name, InputError(f"{name} is no JSON object, but the lines before are"))
    for field in ("text", "translation") if scored else ("text",):
        if not isinstance(fields.get(field), str):
            return TextInput(name, InputError(f'{name} has no field "{field}" with a text'), fields=fields)
    return TextInput(name, fields["text"], fields["translation"] if scored else "", fields)


def _with_translation(name: str, text: str) -> TextInput:
    source, tab, translation = text.partition("\t")
    if not tab:
        return TextInput(name, InputError(f"{name} has no translation to score; give it behind the text and a tab"))
    return TextInput(name, source, translation)
