"""Tables of tab-separated values: a header of language codes, a row of sentences a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ostinato.errors import DataError
from ostinato_translate.languages import language_code
from ostinato_translate.lines import read_lines
from ostinato_translate.rows import Row, split_of

_SPLIT = "split"


def read_header(path: Path) -> list[str]:
    """Returns the columns: language codes, `split`, and those that are none of it, empty.

    Raises:
      DataError: fewer than two columns are languages, or one is there twice.
    """
    names = next(read_lines(path), "").split("\t")
    columns = [_SPLIT if name.strip().lower() == _SPLIT else language_code(name) or "" for name in names]
    languages = [column for column in columns if column not in ("", _SPLIT)]
    if len(languages) < 2 or len(set(languages)) < len(languages):
        raise DataError(
            f"{path}, line 1: expected a header of two or more different language codes with tabs between them, "
            f"is {' '.join(names)[:100]!r}"
        )
    return columns


def read_tsv(path: Path, languages: Sequence[str]) -> Iterator[Row]:
    """Yields the rows of a table. The split is that of the column `split`, or else of the file's name.

    A tab or a quotation mark cannot be quoted: tables of sentences are written so.

    Raises:
      DataError: the header names no languages, a row has not as many columns, or the file cannot be read.
    """
    columns = read_header(path)
    split = split_of(path.name.removesuffix(".gz").removesuffix(".tsv"))
    for number, line in enumerate(read_lines(path), start=1):
        if number == 1 or not line:
            continue
        values = line.split("\t")
        if len(values) != len(columns):
            raise DataError(f"{path}, line {number}: has {len(values)} columns, not {len(columns)} as the header")
        named = dict(zip(columns, values, strict=True))
        own = named.get(_SPLIT, "").strip().lower()
        yield Row(
            split_of(own) or own if own else split,
            {language: named[language] for language in columns if language in languages},
        )
