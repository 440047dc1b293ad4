"""What a network is asked in order to translate texts: which sentences, and which of them together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from ostinato.errors import InputError
from ostinato.text import Tokenizer, normalise
from ostinato_translate.sentences import split_sentences

_SHOWN = 40  # characters of a sentence that a message quotes


@dataclasses.dataclass(frozen=True)
class Sentence:
    """A text that the network reads at once."""

    text: str
    """normalised"""
    to: str
    """code of the target language"""
    written: str
    """what is given of the translation: its beginning, or all of it where it is to be scored"""
    num_pieces: int
    """of the source, without its end"""


@dataclasses.dataclass(frozen=True)
class Planner:
    """Makes sentences of texts.

    Args:
      tokenizer: the vocabulary.
      max_pieces: longer texts are split into sentences, if they have several.
      max_source_pieces: longer sentences are refused.
    """

    tokenizer: Tokenizer
    max_pieces: int
    max_source_pieces: int

    def sentences(self, text: str, to: str, prefix: str) -> list[Sentence]:
        """Returns the sentences that a text is translated in, none where it has no character.

        Raises:
          InputError: a sentence is too long, or a text of several is to begin with a prefix.
        """
        whole = self._sentence(text, to, prefix)
        if not whole.text:
            return []
        if whole.num_pieces <= self.max_pieces:
            return [whole]
        parts = split_sentences(text)
        if len(parts) == 1:
            return [self._checked(whole)]
        if whole.written:
            raise InputError("has several sentences and is too long for a prefix; give one sentence")
        return [self.whole(part, to) for part in parts]

    def whole(self, text: str, to: str, written: str = "") -> Sentence:
        """Returns a text as one sentence.

        Raises:
          InputError: it is too long.
        """
        return self._checked(self._sentence(text, to, written))

    def _sentence(self, text: str, to: str, written: str) -> Sentence:
        text = normalise(text)
        return Sentence(text, to, normalise(written), len(self.tokenizer.encode(text)))

    def _checked(self, sentence: Sentence) -> Sentence:
        if sentence.num_pieces > self.max_source_pieces:
            raise InputError(
                f"has a sentence of {sentence.num_pieces} pieces ({sentence.text[:_SHOWN]}...), and this model reads "
                f"{self.max_source_pieces} at most; split it"
            )
        return sentence


def batches_by_length(sentences: Sequence[Sentence], max_pieces: int) -> Iterator[list[int]]:
    """Yields places of sentences about as long as one another, of so many pieces with padding, the longest first."""
    order = sorted(range(len(sentences)), key=lambda place: -sentences[place].num_pieces)
    start = 0
    while start < len(order):
        size = max(1, max_pieces // (sentences[order[start]].num_pieces + 1))  # the end is read, too
        yield order[start : start + size]
        start += size
