"""An attention over pieces as one over words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ostinato_translate import Translation

_SPACE, _END = "\u2581", "</s>"


@dataclasses.dataclass(frozen=True)
class WordAlignment:
    """What each word of a translation looked at."""

    source: tuple[str, ...]
    """words of the text, in order"""
    target: tuple[str, ...]
    """words of the translation, in order"""
    weights: tuple[tuple[int, ...], ...]
    """of each target word, how much it looked at each source word, in per cent; the rest went to the end of the text"""

    def strongest(self, number: int) -> str:
        """What a target word looked at most, in words."""
        weights = self.weights[number]
        if not weights or not max(weights):
            return ""
        place = int(np.argmax(weights))
        return f"{self.source[place]}, {weights[place]} %"


def aligned_words(translation: Translation, text: str) -> WordAlignment:
    """Groups pieces into words: what several pieces of a word looked at is averaged, what they were given is added up.

    Args:
      translation: with attention float [pieces, source pieces].
      text: that was translated.
    """
    source, source_groups = _words(translation.source_pieces, text)
    target, target_groups = _words(translation.pieces, translation.text)
    weights = [
        tuple(
            round(100 * float(translation.attention[np.ix_(group, places)].sum(axis=1).mean()))
            for places in source_groups
        )
        for group in target_groups
    ]
    return WordAlignment(tuple(source), tuple(target), tuple(weights))


def _words(pieces: Sequence[str], text: str) -> tuple[list[str], list[list[int]]]:
    """Returns words, and the places of the pieces of each."""
    groups: list[list[int]] = []
    for place, piece in enumerate(pieces):
        if piece == _END:
            continue
        if piece.startswith(_SPACE) or not groups or pieces[place - 1] == _END:
            groups.append([])
        groups[-1].append(place)
    written = ["".join(pieces[place] for place in group).replace(_SPACE, "") for group in groups]
    kept = [(word, group) for word, group in zip(written, groups, strict=True) if word]
    words = text.split()  # what was meant, also where pieces are bytes of a character
    if len(words) == len(kept):
        return words, [group for _, group in kept]
    return [word for word, _ in kept], [group for _, group in kept]
