"""Training batches: source sentences, each with its translations into one or several languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ostinato.text import END, PAD
from ostinato.training import bucketed_batches, shift
from ostinato_translate.run import Run

# Cut at random, the sentences of a batch may be so many times as long as its longest was, that it stays about as large.
_GREATEST_GROWTH = 1.2
_DRAWS = 8  # of a sentence, until one is short enough

# (source_ids int32 [B, S], decoder's input int32 [B, K, T]), targets int32 [B, K, T], weights float32 [B, K, T]
Batch = tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]


class ParallelBatches:
    """Batches of the training rows of a run.

    A sentence that has translations into several languages is read once, and written in all of them side by side
    (axis K): the encoder, which knows nothing of the target, works for several decoders at a time.

    Args:
      run: prepared run directory; its sentences are read from disk as they are used.
      directions: pairs of a source and a target language.
      tokens_per_batch: greatest number of target pieces in a batch, padding included.
      epochs_per_pass: shares that the data are cut into; each epoch sees one of them.
      seed: with the epoch, decides on the order and on how sentences are cut.
      subword_alpha: above 0, sentences are cut into pieces at random, by this exponent
        (`Tokenizer.encode_at_random`), among the ways that make no batch much larger. They come together by the lengths
        of their most probable pieces all the same.

    Attributes:
      num_pairs: pairs of sentences in a pass over all data.
      num_target_tokens: target pieces in such a pass, the end of each sentence counted.
    """

    def __init__(
        self,
        run: Run,
        directions: Sequence[tuple[str, str]],
        *,
        tokens_per_batch: int,
        epochs_per_pass: int,
        seed: int,
        subword_alpha: float = 0.0,
    ):
        self.run, self.subword_alpha = run, subword_alpha
        self.tokens_per_batch, self.epochs_per_pass, self.seed = tokens_per_batch, epochs_per_pass, seed
        languages = run.languages
        wanted = np.zeros((len(languages), len(languages)), dtype=bool)  # [source, target]
        for source, target in directions:
            wanted[languages.index(source), languages.index(target)] = True
        self._wanted = wanted
        lengths = run.lengths  # -> [rows, L]
        there = lengths > 0
        self.num_pairs = int(sum(np.sum(there[:, s] & there[:, t]) for s, t in zip(*np.nonzero(wanted), strict=True)))
        self.num_target_tokens = int(
            sum(
                np.sum((lengths[:, t] + 1)[there[:, s] & there[:, t]]) for s, t in zip(*np.nonzero(wanted), strict=True)
            )
        )
        # Items are sources with all their targets. Those with as many targets come together, or K would be padded.
        num_targets = (there.astype(np.int32) @ wanted.T.astype(np.int32)) * there  # -> [rows, L]
        longest = np.stack(
            [np.maximum(lengths[:, s], np.max(lengths * wanted[s], axis=1)) for s in range(len(languages))], axis=1
        )  # -> [rows, L]
        self._groups = []  # (K, items, lengths with the end)
        for k in range(1, int(num_targets.max(initial=0)) + 1):
            items = np.flatnonzero(num_targets == k)
            if len(items):
                self._groups.append((k, items, longest.reshape(-1)[items] + 1))

    def num_batches(self, epoch: int = 0) -> int:
        """Number of batches of an epoch; that of others differs by a few."""
        return len(self._plan(epoch))

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """Yields the batches of an epoch, from 0."""
        seeds = np.random.default_rng((self.seed, epoch, 4))
        for items in self._plan(epoch):
            yield self._batch(items, seeds)

    def _plan(self, epoch: int) -> list[np.ndarray]:
        """Which items [B] come together, batch by batch."""
        number, part = divmod(epoch, self.epochs_per_pass)
        batches: list[np.ndarray] = []
        for k, items, lengths in self._groups:
            share = np.random.default_rng((self.seed, number, k)).permutation(len(items))[part :: self.epochs_per_pass]
            cut = bucketed_batches(
                lengths[share], max_tokens=max(self.tokens_per_batch // k, 1), seed=self.seed, epoch=epoch
            )
            batches.extend(items[share[places]] for places in cut)
        return [batches[i] for i in np.random.default_rng((self.seed, epoch, 3)).permutation(len(batches))]

    def _batch(self, items: np.ndarray, seeds: np.random.Generator) -> Batch:
        rows, sources = np.divmod(items, len(self.run.languages))
        source_ids = pad(
            with_end(self._cut([self._sentence(row, s) for row, s in zip(rows, sources, strict=True)], seeds))
        )
        texts, starts = [], []
        for row, source in zip(rows, sources, strict=True):
            for target in np.flatnonzero(self._wanted[source]):
                sentence = self._sentence(row, target)
                if sentence:
                    texts.append(sentence)
                    starts.append(self.run.language_ids[target])
        targets = pad(with_end(self._cut(texts, seeds)))[:, None]  # -> [B * K, 1, T]
        read_ids = shift(targets, starts)
        shape = (len(items), len(texts) // len(items), targets.shape[2])
        targets = targets.reshape(shape)
        return (source_ids, read_ids.reshape(shape)), targets, (targets != PAD).astype(np.float32)

    def _sentence(self, row: int | np.integer, language: int | np.integer) -> list[int]:
        place = row * len(self.run.languages) + language
        return self.run.tokens[self.run.offsets[place] : self.run.offsets[place + 1]].tolist()

    def _cut(self, sentences: list[list[int]], seeds: np.random.Generator) -> list[list[int]]:
        """Returns the same sentences, in other pieces if that is asked for and no batch grows much by them."""
        if not self.subword_alpha:
            return sentences
        tokenizer = self.run.tokenizer
        most = _GREATEST_GROWTH * max(map(len, sentences))
        chosen, waiting = list(sentences), list(range(len(sentences)))
        for seed in seeds.integers(2**32, size=_DRAWS).tolist():
            texts = [tokenizer.decode(sentences[place]) for place in waiting]
            drawn = tokenizer.encode_at_random(texts, self.subword_alpha, seed)
            for place, sentence in zip(waiting, drawn, strict=True):
                if len(sentence) <= most:
                    chosen[place] = sentence
            waiting = [place for place, sentence in zip(waiting, drawn, strict=True) if len(sentence) > most]
        return chosen


def with_end(sentences: Sequence[Sequence[int]]) -> list[list[int]]:
    """Returns the sentences with the end token after each."""
    return [[*sentence, END] for sentence in sentences]


def pad(sentences: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns int32 [B, S], S the greatest length, padded on the right."""
    ids = np.full((len(sentences), max(map(len, sentences))), PAD, dtype=np.int32)
    for row, sentence in zip(ids, sentences, strict=True):
        row[: len(sentence)] = sentence
    return ids
