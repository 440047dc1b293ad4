"""Which pieces of the vocabulary each language is written with: those of its training sentences."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ostinato_translate.run import Run

WRITTEN_PIECES = "written_pieces.npz"  # among the assets of an export: ids uint32 [n] by language
_ROWS_AT_ONCE = 10_000

WrittenPieces = Mapping[str, np.ndarray]


def written_pieces(run: Run) -> dict[str, np.ndarray]:
    """Returns the ids [n], ascending, of the pieces that each language of a run is written with.

    They are those of its training sentences, and of those that the model which it goes on from has learned from; where
    that model does not say them, they are all that there are. Single characters and bytes are among them, too, so that
    a name can be spelt that none of these sentences has.
    """
    used = np.zeros((len(run.languages), run.tokenizer.size), bool)
    used[:, run.tokenizer.alphabet] = True
    for start in range(0, run.num_rows, _ROWS_AT_ONCE):
        lengths = run.lengths[start : start + _ROWS_AT_ONCE]
        languages = np.tile(np.arange(len(run.languages)), len(lengths))
        first, last = start * len(run.languages), (start + len(lengths)) * len(run.languages)
        tokens = run.tokens[run.offsets[first] : run.offsets[last]]
        used[np.repeat(languages, lengths.reshape(-1)), tokens] = True
    if run.start_path.exists():
        before = read_written_pieces(run.start_pieces_path) if run.start_pieces_path.exists() else {}
        for language, row in zip(run.languages, used, strict=True):
            row[before.get(language, slice(None))] = True
    return {language: np.flatnonzero(row) for language, row in zip(run.languages, used, strict=True)}


def read_written_pieces(path: Path) -> dict[str, np.ndarray]:
    """Reads what `to_bytes` has made."""
    with np.load(path) as arrays:
        return dict(arrays)


def to_bytes(pieces: WrittenPieces) -> bytes:
    """Returns the ids of the pieces of each language as a NumPy archive, the same bytes each time."""
    archive = io.BytesIO()
    arrays: dict[str, Any] = {language: ids.astype(np.uint32) for language, ids in pieces.items()}
    np.savez_compressed(archive, **arrays)
    return archive.getvalue()
