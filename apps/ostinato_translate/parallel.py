"""Parallel files: `train.en` and `train.de`, line by line translations of each other."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from ostinato.errors import DataError
from ostinato_translate.languages import language_code
from ostinato_translate.lines import read_lines
from ostinato_translate.rows import Row, split_of

Groups = dict[str, dict[str, Path]]

# Ends of names that have the form of a language's code and are none; OPUS puts a file `.ids` beside its parallel ones.
_NO_LANGUAGES = {"bz2", "csv", "ids", "log", "md", "md5", "npy", "pdf", "tar", "tmx", "tsv", "txt", "xml", "xz", "zip"}


def find_groups(root: Path) -> Groups:
    """Finds the files of a folder that differ in nothing but the language at their end.

    Returns:
      For each stem that has two languages or more, the file of each language; of a plain file and a compressed one
      the plain.
    """
    groups: Groups = defaultdict(dict)
    for path in sorted(root.iterdir()):  # a plain file comes before its compressed one
        stem, dot, suffix = path.name.removesuffix(".gz").rpartition(".")
        language = language_code(suffix)
        if dot and stem and language and suffix not in _NO_LANGUAGES and path.is_file():
            groups[stem].setdefault(language, path)
    return {stem: files for stem, files in groups.items() if len(files) > 1}


def languages_of(groups: Groups) -> set[str]:
    """Returns the languages that any of the groups has."""
    return set(itertools.chain.from_iterable(groups.values()))


def read_parallel(groups: Groups, languages: Sequence[str]) -> Iterator[Row]:
    """Yields the rows of all groups; files of other languages are not opened.

    Raises:
      DataError: the files of a group have not the same number of lines, or one cannot be read.
    """
    for stem, files in groups.items():
        chosen = {language: path for language, path in files.items() if language in languages}
        if len(chosen) > 1:
            split = split_of(stem)
            for lines in itertools.zip_longest(*map(read_lines, chosen.values())):
                if None in lines:
                    raise _of_different_lengths(list(chosen.values()))
                yield Row(split, dict(zip(chosen, lines, strict=True)))


def _of_different_lengths(paths: Sequence[Path]) -> DataError:
    lengths = ", ".join(f"{path.name} {sum(1 for _ in read_lines(path))}" for path in paths)
    return DataError(f"{paths[0].parent}: the lines of parallel files must be as many, not {lengths}; align them")
