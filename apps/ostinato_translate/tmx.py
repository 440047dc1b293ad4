"""Translation memories in TMX 1.4, read as a stream."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from ostinato.errors import DataError
from ostinato_translate.languages import language_code
from ostinato_translate.lines import read_blocks
from ostinato_translate.rows import Row, split_of

_CODES = ("bpt", "ept", "it", "ph", "ut")  # inline elements that hold formatting, not text


def read_tmx(path: Path, languages: Sequence[str] | None = None) -> Iterator[Row]:
    """Yields the units of a translation memory.

    Memories name languages with their countries (`en-US`), and not always the same ones: the language alone counts,
    and the first of several segments of one language. The split is that of the file's name.

    Args:
      path: the file, plain or `.gz`, in any encoding that its XML declaration may name.
      languages: those to read, all if not given.

    Raises:
      DataError: it is no well-formed XML or no TMX, it declares entities (which could make a small file expand
        without end), or it cannot be read.
    """
    units = _Units(path)
    split = split_of(path.name.removesuffix(".gz").removesuffix(".tmx"))
    for sentences in units.read():
        yield Row(split, {code: text for code, text in sentences.items() if languages is None or code in languages})


class _Units:
    """Handlers of expat, which is fed block by block; external files that a document names are never opened."""

    def __init__(self, path: Path):
        self._path = path
        self._units: list[dict[str, str]] = []  # those complete and not yet yielded
        self._sentences: dict[str, str] = {}
        self._language: str | None = None
        self._text: list[str] | None = None  # within <seg>
        self._num_codes_open = 0
        self._root: str | None = None
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._refuse_entity
        self._parser.SkippedEntityHandler = self._skipped_entity

    def read(self) -> Iterator[dict[str, str]]:
        try:
            for block in read_blocks(self._path):
                self._parser.Parse(block, False)
                yield from self._units
                self._units.clear()
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise DataError(
                f"{self._path}, line {error.lineno}: is no well-formed XML ({expat.ErrorString(error.code)}); "
                "export the memory again"
            ) from error
        yield from self._units

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._root is None:
            self._root = name
            if name != "tmx":
                raise DataError(f"{self._path} is no TMX: it begins with <{name}>, not <tmx>")
        elif name == "tu":
            self._sentences = {}
        elif name == "tuv":
            tag = attributes.get("xml:lang") or attributes.get("lang") or ""
            code = language_code(tag)
            if code is None:
                self._fail(f"<tuv> has no language code, but {tag!r}")
            self._language = code.split("-")[0]
        elif name == "seg":
            self._text = []
        elif name in _CODES:
            self._num_codes_open += 1

    def _end(self, name: str) -> None:
        if name == "seg" and self._text is not None and self._language is not None:
            self._sentences.setdefault(self._language, "".join(self._text))
            self._text = None
        elif name == "tuv":
            self._language = None
        elif name == "tu":
            self._units.append(self._sentences)
        elif name in _CODES:
            self._num_codes_open -= 1

    def _characters(self, text: str) -> None:
        if self._text is not None and not self._num_codes_open:
            self._text.append(text)

    def _skipped_entity(self, name: str, is_parameter_entity: bool) -> None:
        """An entity that a document type elsewhere may declare: the names of HTML are what is meant."""
        if not is_parameter_entity:
            self._characters(html.unescape(f"&{name};"))

    def _refuse_entity(self, name: str, *_: object) -> NoReturn:
        self._fail(f"declares the entity {name!r}, which is not read; export the memory without")

    def _fail(self, fault: str) -> NoReturn:
        raise DataError(f"{self._path}, line {self._parser.CurrentLineNumber}: {fault}")
