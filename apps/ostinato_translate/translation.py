"""What a translator answers with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

SPACE = "\u2581"  # begins a piece that begins a word
UNKNOWN_PIECE = "<unk>"
_LEAST_LOG_PROB = -1e8  # below it there is no translation: the search found fewer than were asked for


@dataclasses.dataclass(frozen=True)
class Translation:
    """One translation of a text."""

    text: str
    score: float
    """log-probability over length penalty, plus coverage penalty; greater is better"""
    log_prob: float
    """natural logarithm of the probability of exactly this translation under the network"""
    pieces: tuple[str, ...]
    """what it was written in, U+2581 standing for a space"""
    source_pieces: tuple[str, ...]
    """what the text was read in, its end `</s>` last"""
    attention: np.ndarray
    """float32 [pieces, source_pieces]: where each piece looked, every row summing to 1"""
    num_sentences: int = 1
    """more than 1 where the text was too long to be translated at once; each was translated alone"""


@dataclasses.dataclass(frozen=True)
class Score:
    """What a given translation is worth."""

    log_prob: float
    """natural logarithm of its probability under the network"""
    score: float
    """by which a search with the model's own settings would rank it"""
    num_pieces: int
    """its length, the end counted"""


@dataclasses.dataclass(frozen=True)
class Alternative:
    """What may stand behind the beginning of a translation."""

    text: str
    """the beginning with the piece behind it"""
    piece: str
    """`</s>` where the translation may end here"""
    log_prob: float
    """of the piece alone, given what stands before it"""


EMPTY = Translation("", 0.0, 0.0, (), (), np.zeros((0, 0), np.float32))


def translations_of(outputs: Mapping[str, np.ndarray], source: str) -> list[Translation]:
    """Makes translations of what the graph's `beam_search` found for one text, without padding and end.

    Args:
      outputs: by name, without the batch dimension.
      source: the text that the network read.
    """
    source_pieces = tuple(piece.decode() for piece in outputs["source_pieces"] if piece)
    translations: list[Translation] = []
    for text, score, log_prob, pieces, attention in zip(
        *(outputs[name] for name in ("translations", "scores", "log_probs", "pieces", "attention")), strict=True
    ):
        if log_prob > _LEAST_LOG_PROB or not translations:
            written = tuple(piece.decode() for piece in pieces if piece)
            looked = attention[: len(written), : len(source_pieces)].copy()  # not to keep the whole batch
            translation = Translation(text.decode(), float(score), float(log_prob), written, source_pieces, looked)
            translations.append(with_source_words(translation, source))
    return translations


def joined(sentences: Sequence[Sequence[Translation]]) -> list[Translation]:
    """Makes translations of a text from those of its sentences: the best of each, the second best of each, ...

    Scores and log-probabilities are sums; the pieces of a sentence look at those of its own source.
    """
    count = min(map(len, sentences))
    return [_join([translations[rank] for translations in sentences]) for rank in range(count)]


def _join(parts: Sequence[Translation]) -> Translation:
    shapes = [part.attention.shape for part in parts]
    attention = np.zeros(tuple(np.sum(shapes, axis=0)), np.float32)
    row = column = 0
    for part, (height, width) in zip(parts, shapes, strict=True):
        attention[row : row + height, column : column + width] = part.attention
        row, column = row + height, column + width
    return Translation(
        text=" ".join(part.text for part in parts if part.text),
        score=sum(part.score for part in parts),
        log_prob=sum(part.log_prob for part in parts),
        pieces=tuple(piece for part in parts for piece in part.pieces),
        source_pieces=tuple(piece for part in parts for piece in part.source_pieces),
        attention=attention,
        num_sentences=len(parts),
    )


def with_source_words(translation: Translation, source: str) -> Translation:
    """Puts for each unknown piece the word of the source that it looked at most, as names mostly stay what they are.

    Only vocabularies without byte fallback have unknown pieces.

    Args:
      translation: as the network wrote it.
      source: the text that it read.

    Reference: Luong et al. 2015, Addressing the Rare Word Problem in Neural Machine Translation; by attention: Jean et
    al. 2015, section 3.3.
    """
    if UNKNOWN_PIECE not in translation.pieces:
        return translation
    words = source.split(" ")
    is_beginning = [piece.startswith(SPACE) for piece in translation.source_pieces]
    word_of_place = np.clip(np.cumsum(is_beginning) - 1, 0, len(words) - 1)  # -> [source_pieces]
    places = translation.attention[:, : len(word_of_place) - 1].argmax(axis=1)  # the end is no word
    pieces = tuple(
        words[word_of_place[place]] if piece == UNKNOWN_PIECE else piece
        for piece, place in zip(translation.pieces, places, strict=True)
    )
    text = "".join(pieces).replace(SPACE, " ").removeprefix(" ")
    return dataclasses.replace(translation, text=text, pieces=pieces)
