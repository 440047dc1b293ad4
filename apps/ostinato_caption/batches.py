"""Batches for each phase of training: what the network reads, what it should write, and what each token counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ostinato.text import END, PAD, START, Tokenizer
from ostinato.training import bucketed_batches, shift

# (inputs [B, ...], start-shifted ids int32 [B, K, T]), targets int32 [B, K, T], weights float32 [B, K, T]
Batch = tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]


class CaptionTargets:
    """The training captions of photos as piece ids.

    Args:
      captions: of each photo, its cleaned captions; at least one.
      tokenizer: gives the ids.
      captions_per_photo: K, captions of a photo in one batch. Photos that have more take others in each epoch; those
        with fewer repeat theirs with weight 0, so that no caption counts twice.
      num_decoders: N, how many decoders read the captions of a batch side by side, see `ParallelDecoders`.
    """

    def __init__(
        self,
        captions: Sequence[Sequence[str]],
        tokenizer: Tokenizer,
        captions_per_photo: int,
        *,
        num_decoders: int = 1,
    ):
        self.ids = [[[*tokenizer.encode(text), END] for text in texts] for texts in captions]
        self.captions_per_photo, self.num_decoders = captions_per_photo, num_decoders
        # of the longest caption, which sets the padding: int [photos]
        self.lengths = np.array([max(map(len, texts)) for texts in self.ids])

    def batch(self, photos: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Returns target ids int32 [B, N * K, T] and weights float32 [B, N * K, T] of photos, given by number."""
        chosen, counts = [], []
        for photo in photos:
            order = generator.permutation(len(self.ids[photo]))[: self.captions_per_photo]
            fill = [order[0]] * (self.captions_per_photo - len(order))
            chosen.append([self.ids[photo][i] for i in [*order, *fill]])
            counts.append([1.0] * len(order) + [0.0] * len(fill))
        targets = pad_ids(chosen)
        weights = (targets != PAD) * np.array(counts, np.float32)[:, :, None]
        for_each = (1, self.num_decoders, 1)
        return np.tile(targets, for_each), np.tile(weights.astype(np.float32), for_each)


def pad_ids(ids: Sequence[Sequence[Sequence[int]]]) -> np.ndarray:
    """Returns int32 [B, K, T], T the greatest length, from nested lists."""
    length = max(len(sequence) for sequences in ids for sequence in sequences)
    return np.array([[[*s, *[PAD] * (length - len(s))] for s in sequences] for sequences in ids], dtype=np.int32)


def teacher_forcing_batches(
    targets: CaptionTargets,
    read_inputs: Callable[[np.ndarray, np.random.Generator], np.ndarray],
    *,
    photos_per_batch: int,
    seed: int,
    epoch: int,
) -> Iterator[Batch]:
    """Yields the batches of one epoch; photos whose longest captions are alike come together.

    Args:
      targets: the captions.
      read_inputs: from numbers of photos int [B] to the network's inputs [B, ...].
      photos_per_batch: B.
      seed: with the epoch, decides on order and choice.
      epoch: from 0.
    """
    generator = np.random.default_rng((seed, epoch, 1))
    for photos in bucketed_batches(targets.lengths, batch_size=photos_per_batch, seed=seed, epoch=epoch):
        ids, weights = targets.batch(photos, generator)
        yield (read_inputs(photos, generator), shift(ids, START)), ids, weights
