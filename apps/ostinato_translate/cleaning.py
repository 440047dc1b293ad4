"""Which training rows are worth learning from, and how many are not."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import TypeVar

from ostinato.text.normalise import normalise
from ostinato_translate.config import PrepareConfig

Sentence = TypeVar("Sentence", str, list[int])

_ALLOWANCE = 10  # pieces: of short sentences the ratio says little, "Yes." may well be "Da haben Sie ganz recht."


@dataclasses.dataclass
class LeftOut:
    """What was cleaned away from the training rows, by reason."""

    empty_sentences: int = 0
    """there was a place for them and nothing in it"""
    long_sentences: int = 0
    """of more pieces than the greatest length"""
    lone_rows: int = 0
    """fewer than two sentences, after the above"""
    duplicate_rows: int = 0
    """the same sentences in all languages as a row before"""
    unbalanced_rows: int = 0
    """lengths too different for translations of each other"""


class Cleaner:
    """Passes on the good part of training rows, row by row, and counts the rest.

    Args:
      config: limits.

    Attributes:
      left_out: the counts so far.
    """

    def __init__(self, config: PrepareConfig):
        self.left_out = LeftOut()
        self._config = config
        self._seen: set[int] = set()

    def clean(self, sentences: Mapping[str, str]) -> dict[str, str]:
        """Returns the normalised sentences of a row; an empty row where fewer than two are left, or a duplicate."""
        normalised = normalise_row(sentences)
        self.left_out.empty_sentences += len(sentences) - len(normalised)
        kept = self._pairs(normalised)
        if kept and self._config.deduplicate:
            row_hash = hash_row(kept)
            if row_hash in self._seen:
                self.left_out.duplicate_rows += 1
                return {}
            self._seen.add(row_hash)
        return kept

    def limit(self, pieces: Mapping[str, list[int]]) -> dict[str, list[int]]:
        """Returns the sentences of a row, as piece ids, whose lengths are within the limits; an empty row if none."""
        limited = {code: ids for code, ids in pieces.items() if len(ids) <= self._config.max_pieces}
        self.left_out.long_sentences += len(pieces) - len(limited)
        kept = self._pairs(limited)
        lengths = [len(ids) for ids in kept.values()]
        if lengths and max(lengths) > self._config.max_length_ratio * min(lengths) + _ALLOWANCE:
            self.left_out.unbalanced_rows += 1
            return {}
        return kept

    def _pairs(self, row: dict[str, Sentence]) -> dict[str, Sentence]:
        if len(row) > 1:
            return row
        self.left_out.lone_rows += 1
        return {}


def normalise_row(sentences: Mapping[str, str]) -> dict[str, str]:
    """Returns the normalised sentences of a row without the empty ones."""
    normalised = {language: normalise(text) for language, text in sentences.items()}
    return {language: text for language, text in normalised.items() if text}


def hash_row(normalised: Mapping[str, str]) -> int:
    """Returns 64 bits that are the same wherever the sentences and their languages are.

    Among a hundred million rows, two different ones are taken for duplicates with a probability of 0.03 %.
    """
    content = "\n".join(f"{language}\t{text}" for language, text in sorted(normalised.items()))
    return int.from_bytes(hashlib.blake2b(content.encode(), digest_size=8).digest(), "little")
