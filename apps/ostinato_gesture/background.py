"""What is no gesture, made of what lies before and after it: hands on their way, at rest, gone."""

from __future__ import annotations

import numpy as np

from ostinato.sequences.joining import Between
from ostinato_gesture.model import FRAME_SHAPE, LANDMARKS

_SHORTEST, _LONGEST = 4, 40  # frames
_FARTHEST = 1.5  # that a hand strays meanwhile, in palm sizes
_HIDDEN = 0.3  # share of stretches in which hands are lowered, out of sight


def make_between(kind: str) -> Between:
    """Returns what makes frames that lie between two of a kind of sequence; see `Joining`."""
    return between_landmarks if kind == LANDMARKS else between_features


def between_landmarks(before: np.ndarray, after: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Makes frames in which hands go from one shape to another, stop half-way, stray, or are not seen.

    Args:
      before: landmarks of the frame before, float [126].
      after: of the first frame after.
      generator: source of chance.

    Returns:
      float32 [F, 126].
    """
    first, last = before.reshape(FRAME_SHAPE), after.reshape(FRAME_SHAPE)
    there = np.any(first != 0, axis=(1, 2)) & np.any(last != 0, axis=(1, 2))  # -> [2]
    share = _way(generator)
    nearest = np.where(share < 0.5, 0, 1)
    mixed = (1 - share)[:, None, None, None] * first + share[:, None, None, None] * last
    frames = np.where(there[:, None, None], mixed, np.stack([first, last])[nearest])
    size = np.linalg.norm(frames[:, :, 9] - frames[:, :, 0], axis=-1)[:, :, None, None]  # -> [F, 2, 1, 1]
    path = np.zeros((len(share), 2, 1, 3))
    for hand in range(2):
        for axis in range(2):
            path[:, hand, 0, axis] = _smooth(len(share), generator) * generator.uniform(0, _FARTHEST)
    present = np.any(frames != 0, axis=(2, 3), keepdims=True)
    frames = np.where(present, frames + path * size, 0)
    if generator.random() < _HIDDEN:
        start, end = np.sort(generator.integers(0, len(frames), 2, endpoint=True))
        frames[start:end] = 0
    return frames.reshape(len(frames), -1).astype(np.float32)


def between_features(before: np.ndarray, after: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Makes frames that go from one to another and stop half-way, float32 [F, D]; arguments as above, any features."""
    share = _way(generator)[:, None]
    return ((1 - share) * before + share * after).astype(np.float32)


def _way(generator: np.random.Generator) -> np.ndarray:
    """Returns how far the way is gone in each frame, float [F] from 0 to 1: there are stops on it."""
    num_frames = round(np.exp(generator.uniform(np.log(_SHORTEST), np.log(_LONGEST))))
    stop = generator.uniform(0, 1)
    knots = np.sort(generator.uniform(0, 1, 2))
    return np.interp(np.linspace(0, 1, num_frames), [0, *knots, 1], [0, stop, stop, 1])


def _smooth(num_frames: int, generator: np.random.Generator) -> np.ndarray:
    """Returns a smooth path through chance, float [F], that begins and ends at 0."""
    knots = np.concatenate([[0], generator.uniform(-1, 1, generator.integers(1, 5)), [0]])
    places = np.linspace(0, len(knots) - 1, num_frames)
    left = np.minimum(np.floor(places).astype(int), len(knots) - 2)
    share = places - left
    eased = share * share * (3 - 2 * share)
    return (1 - eased) * knots[left] + eased * knots[left + 1]
