"""Sentences with translations by people, to score a model's translations by."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from ostinato.errors import DataError, UserError
from ostinato_translate.data import open_corpus
from ostinato_translate.languages import language_code
from ostinato_translate.lines import read_lines
from ostinato_translate.parallel import find_groups, read_parallel
from ostinato_translate.rows import Row


@dataclasses.dataclass
class SentencePairs:
    """Sentences of one direction, and what people made of them."""

    source_language: str
    target_language: str
    sources: list[str] = dataclasses.field(default_factory=list)
    references: list[str] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """Such as `en-de`."""
        return f"{self.source_language}-{self.target_language}"


@dataclasses.dataclass(frozen=True)
class ScoredText:
    """Where sentences and references are to be taken from: two files, or a split of parallel text."""

    source: Path | None = None
    """file of sentences, one a line, plain or .gz"""
    reference: Path | None = None
    """file of their translations by people"""
    from_: str | None = None
    """language of the source; with --data, all that the model translates from if not given"""
    to: str | None = None
    """language of the reference, likewise"""
    data: str | None = None
    """parallel text as for `prepare`, instead of two files"""
    split: str = "test"
    """train, dev, test, all, or the name of parallel files without its language, such as test_2016_flickr"""
    layout: Literal["parallel", "tsv", "tmx", "tfds"] | None = None
    """how the data are laid out; found by itself if not given"""

    def check(self) -> None:
        """Raises UserError where flags are missing, too many, or no codes of languages."""
        for flag, language in (("--from", self.from_), ("--to", self.to)):
            if language is not None and language_code(language) is None:
                raise UserError(f"{flag} {language} is no code of a language; give one such as de or pt-br")
        files = self.source is not None or self.reference is not None
        if files == (self.data is not None):
            raise UserError("give either --source and --reference, or --data")
        if files and None in (self.source, self.reference, self.from_, self.to):
            raise UserError("--source and --reference go together, with --from and --to for their languages")

    @property
    def direction(self) -> tuple[str, str] | None:
        """Source and target language, where both are named."""
        source, target = (language_code(language or "") for language in (self.from_, self.to))
        return (source, target) if source and target else None

    def read(self, directions: Sequence[tuple[str, str]]) -> list[SentencePairs]:
        """Reads the sentences.

        Args:
          directions: those of the model, of which those that were asked for are read.

        Raises:
          DataError: see `read_pairs` and `read_split`.
        """
        if self.direction and self.source and self.reference:
            return [read_pairs(self.source, self.reference, *self.direction)]
        asked = [(language and language_code(language)) for language in (self.from_, self.to)]
        chosen = [one for one in directions if all(code in (None, its) for code, its in zip(asked, one, strict=True))]
        if not (self.direction or chosen):
            raise UserError("the model has no such direction; name others by --from and --to")
        return read_split(self.data or "", self.layout, self.split, [self.direction] if self.direction else chosen)


def read_pairs(source: Path, reference: Path, source_language: str, target_language: str) -> SentencePairs:
    """Reads two files that are translations of each other, line by line; `.gz` is decompressed.

    Raises:
      DataError: one cannot be read, is no UTF-8 or empty, or they have not the same number of lines.
    """
    pairs = SentencePairs(source_language, target_language, list(read_lines(source)), list(read_lines(reference)))
    check_lengths(source, len(pairs.sources), reference, len(pairs.references))
    return pairs


def check_lengths(first: Path, num_first: int, second: Path, num_second: int) -> None:
    """Raises DataError where two files have not the same number of lines, or none."""
    if num_first != num_second:
        raise DataError(f"{first} has {num_first} lines and {second} has {num_second}; give files that are parallel")
    if not num_first:
        raise DataError(f"{first} and {second} are empty; give sentences")


def read_split(data: str, layout: str | None, split: str, directions: Sequence[tuple[str, str]]) -> list[SentencePairs]:
    """Reads one split of parallel text in all directions in which it has sentences.

    Args:
      data: as for `prepare`.
      layout: as for `prepare`.
      split: `train`, `dev`, `test`, `all`, or the beginning of parallel files' names, such as `test_2016_flickr`.
      directions: pairs of source and target language.

    Raises:
      DataError: the data cannot be read, or have no such sentences.
    """
    corpus = open_corpus(data, layout)
    languages = sorted({language for direction in directions for language in direction} & set(corpus.languages))
    groups = find_groups(Path(data)) if Path(data).is_dir() and layout in (None, "parallel") else {}
    named = {stem: files for stem, files in groups.items() if stem == split}
    rows = read_parallel(named, languages) if named else _of_split(corpus.read(languages), split)
    pairs = [SentencePairs(*direction) for direction in directions]
    for row, one in itertools.product(rows, pairs):
        source, reference = (row.sentences.get(each, "") for each in (one.source_language, one.target_language))
        if source.strip() and reference.strip():
            one.sources.append(source)
            one.references.append(reference)
    if not any(one.sources for one in pairs):
        names = ", ".join(one.name for one in pairs)
        stems = f" (one of {', '.join(['train', 'dev', 'test', 'all', *groups])})" if groups else ""
        raise DataError(f"{data} has no sentences of the split {split!r}{stems} in {names}; name others")
    return [one for one in pairs if one.sources]


def _of_split(rows: Iterable[Row], split: str) -> Iterator[Row]:
    return (row for row in rows if split in ("all", row.split) or (split == "train" and not row.split))
