"""Parallel text in the layouts that people have, read row by row: a corpus may be larger than memory."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ostinato.errors import DataError
from ostinato_translate.parallel import find_groups, languages_of, read_parallel
from ostinato_translate.rows import Row
from ostinato_translate.tmx import read_tmx
from ostinato_translate.tsv import read_header, read_tsv

LAYOUTS = ("parallel", "tsv", "tmx", "tfds")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Parallel text that can be read as often as one likes, from its beginning each time."""

    name: str
    """what the user calls it"""
    languages: tuple[str, ...]
    """codes of all its languages, in alphabetical order"""
    read: Callable[[Sequence[str]], Iterator[Row]]
    """yields the rows of all splits, with those of the given languages that they have"""

    def choose_languages(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Returns the wanted languages in alphabetical order, all where none is named.

        Raises:
          DataError: the corpus has not got one of them.
        """
        for language in wanted:
            if language not in self.languages:
                raise DataError(f"{self.name} has no language {language!r}; it has {', '.join(self.languages)}")
        return tuple(sorted(wanted)) or self.languages


def open_corpus(data: str | Path, layout: str | None = None) -> Corpus:
    """Opens parallel text. What it holds is looked up; its sentences are read later.

    Args:
      data: folder of parallel files (`train.en`, `train.de.gz`, ...), TSV or TMX file or a folder of them, or
        `tfds:` and the name of a translation set of TensorFlow Datasets, such as `tfds:ted_hrlr_translate/pt_to_en`.
      layout: `parallel`, `tsv`, `tmx` or `tfds`; found by the names of the files if not given.

    Raises:
      DataError: there is nothing, no layout fits, or fewer than two languages are there.
    """
    if str(data).startswith("tfds:") or layout == "tfds":
        from ostinato_translate.tfds_data import open_tfds

        languages, read = open_tfds(str(data).removeprefix("tfds:"))
    else:
        root = Path(data)
        if not root.exists():
            raise DataError(f"there is no file or folder {root}; give parallel text with --data")
        openers = {"parallel": _open_parallel, "tsv": _open_tsv, "tmx": _open_tmx}
        layout = layout or detect_layout(root)
        if layout not in openers:
            raise DataError(f"there is no layout {layout!r}; use one of {', '.join(LAYOUTS)}")
        languages, read = openers[layout](root)
    if len(languages) < 2:
        raise DataError(f"{data} has text in {' '.join(languages) or 'no language'} only; translation needs two")
    return Corpus(str(data), tuple(sorted(languages)), read)


def detect_layout(root: Path) -> str:
    """Tells the layout of parallel text by the names of its files.

    Raises:
      DataError: none fits.
    """
    if root.is_dir() and find_groups(root):
        return "parallel"
    if _files(root, "tsv"):
        return "tsv"
    if _files(root, "tmx"):
        return "tmx"
    raise DataError(
        f"{root} has no parallel files such as train.en and train.de, no .tsv and no .tmx (each may end in .gz); "
        "name --layout"
    )


_Opened = tuple[set[str], Callable[[Sequence[str]], Iterator[Row]]]


def _open_parallel(root: Path) -> _Opened:
    groups = find_groups(root) if root.is_dir() else {}
    if not groups:
        raise DataError(f"{root} is no folder with parallel files such as train.en and train.de; check --data")
    return languages_of(groups), lambda languages: read_parallel(groups, languages)


def _open_tsv(root: Path) -> _Opened:
    paths = _some_files(root, "tsv")
    codes = {column for path in paths for column in read_header(path)} - {"", "split"}
    return codes, lambda languages: itertools.chain.from_iterable(read_tsv(path, languages) for path in paths)


def _open_tmx(root: Path) -> _Opened:
    paths = _some_files(root, "tmx")
    codes = {code for path in paths for row in read_tmx(path) for code in row.sentences}  # told by the units only
    return codes, lambda languages: itertools.chain.from_iterable(read_tmx(path, languages) for path in paths)


def _files(root: Path, kind: str) -> list[Path]:
    """Returns the files of one kind: the one that is named, or those of the folder."""
    paths = sorted(root.iterdir()) if root.is_dir() else [root]
    return [path for path in paths if path.name.endswith((f".{kind}", f".{kind}.gz"))]


def _some_files(root: Path, kind: str) -> list[Path]:
    paths = _files(root, kind) or ([] if root.is_dir() else [root])  # a file may be named as it likes
    if not paths:
        raise DataError(f"{root} has no files that end in .{kind} or .{kind}.gz; check --data")
    return paths
