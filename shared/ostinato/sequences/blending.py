"""Clips blended with others of their label: between two people lies a third."""

from __future__ import annotations

import dataclasses

import numpy as np

from ostinato.sequences.joining import Window


@dataclasses.dataclass(frozen=True)
class Blending:
    """How some of the clips are blended in training.

    Of numbers that mean the same in every clip, such as places and bends, what lies between two clips of one label
    is likely to have that label too. With few people to learn from, it makes more of them.

    Reference: Zhang et al. 2018 (mixup), here within a label.
    """

    share: float
    """of the clips, how many are blended with another one"""

    def __call__(self, window: Window, other: Window, generator: np.random.Generator) -> Window:
        """Blends the features of two clips by a share drawn at random.

        Args:
          window: whose length and labels of frames are kept.
          other: stretched to that length.
          generator: source of chance.
        """
        features, labels = window
        share = np.float32(generator.random())
        return share * features + (1 - share) * resampled(
            other[0], np.linspace(0, len(other[0]) - 1, len(labels))
        ), labels


def resampled(features: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Returns features [F, D] at other times, float [G] in frames: float32 [G, D], linear between two frames."""
    before = np.floor(times).astype(int)
    after = np.minimum(before + 1, len(features) - 1)
    share = (times - before)[:, None].astype(np.float32)
    return ((1 - share) * features[before] + share * features[after]).astype(np.float32)
