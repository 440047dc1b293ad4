"""Streams made of clips: one after the other, with something between them that is none of the labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

# features float32 [F, D] and labels int [F] of its frames
Window = tuple[np.ndarray, np.ndarray]
# from the last frame before, the first one after, float32 [D] each, and a generator to frames between, float32 [F, D]
Between = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Joining:
    """How clips become streams in training.

    A network that has seen clips alone, each from its first frame, knows neither how a stream goes on after a clip nor
    what it looks like while nothing happens.
    """

    share: float
    """of the windows, how many are streams of several clips"""
    background: int
    """number of the label of what lies between them"""
    between: Between
    """makes that"""

    def __call__(self, windows: Sequence[Window], longest: int, generator: np.random.Generator) -> Window:
        """Joins windows, with something before the first, between all, and after the last if there is room.

        Args:
          windows: one or more.
          longest: greatest number of frames; what does not fit is cut off at the end.
          generator: source of chance.
        """
        parts: list[Window] = []
        for number, (features, labels) in enumerate(windows):
            previous = windows[number - 1][0][-1] if number else features[int(generator.integers(len(features)))]
            parts += [self._between(previous, features[0], generator), (features, labels)]
        last = windows[-1][0]
        parts.append(self._between(last[-1], last[int(generator.integers(len(last)))], generator))
        features, labels = (np.concatenate(each)[:longest] for each in zip(*parts, strict=True))
        return features, labels

    def _between(self, before: np.ndarray, after: np.ndarray, generator: np.random.Generator) -> Window:
        frames = self.between(before, after, generator)
        return frames, np.full(len(frames), self.background, np.int64)
