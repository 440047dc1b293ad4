"""What self-critical training learns from: sequences that the network drew, weighted by what a scorer says of them.

Each sequence drawn for an input is compared with the others drawn for it: what those reached on average is the baseline
that it must beat. Cross entropy of a drawn sequence, weighted by how much its reward exceeds the baseline, has the
gradient of the expected reward (Williams 1992): training with it needs no loop of its own.

Reference: Rennie et al. 2017; the baseline is that of Luo 2020, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ostinato.training.batches import shift


def advantages(rewards: np.ndarray) -> np.ndarray:
    """Returns by how much each reward exceeds the mean of the others for its input, float [..., K]; K is 2 or more."""
    others = (rewards.sum(axis=-1, keepdims=True) - rewards) / (rewards.shape[-1] - 1)
    return rewards - others


def drawn_targets(
    ids: np.ndarray, weights: np.ndarray, *, start: int | Sequence[int] | np.ndarray, pad: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turns drawn sequences into what teacher forcing takes.

    Args:
      ids: int [B, K, T], tokens up to the end, then `pad`. One that never ended is cut off: its last token is no reason
        to praise or blame an end that was not written.
      weights: float [B, K], how much each is praised or blamed.
      start: what every sequence begins with, or of each input, int [B].
      pad: the padding token.

    Returns:
      What the decoder has read int32 [B, K, T'], what it wrote int32 [B, K, T'], and the weight of each token float32
      [B, K, T'], 0 at padding; T' is the greatest length, at least 1.
    """
    written = ids != pad
    longest = max(int(written.sum(axis=2).max()), 1)
    ids, written = ids[:, :, :longest].astype(np.int32), written[:, :, :longest]
    return shift(ids, start), ids, (weights[:, :, None] * written).astype(np.float32)
