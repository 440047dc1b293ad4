"""Training windows varied at random: landmarks as hands move, other features in time."""

from __future__ import annotations

import numpy as np

from ostinato.sequences.batches import Variation
from ostinato_gesture.augmentation import AugmentationConfig, vary, vary_times
from ostinato_gesture.model import FRAME_SHAPE, LANDMARKS

_SEEDS = 2**62


def make_variation(config: AugmentationConfig, kind: str) -> Variation:
    """Returns what varies the windows of a kind of sequence; see `WindowBatches`."""

    def vary_landmarks(
        features: np.ndarray, labels: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        landmarks = features.reshape(len(features), *FRAME_SHAPE)
        varied = vary(landmarks, hands_there(landmarks), config, seed=int(generator.integers(_SEEDS)))
        return varied.landmarks.reshape(len(varied.times), -1), labels[np.rint(varied.times).astype(int)]

    def vary_features(
        features: np.ndarray, labels: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        times = vary_times(len(features), config, generator)
        varied = vary_sensors(interpolate(features, times), config, generator)
        return varied, labels[np.rint(times).astype(int)]

    return vary_landmarks if kind == LANDMARKS else vary_features


def vary_sensors(features: np.ndarray, config: AugmentationConfig, generator: np.random.Generator) -> np.ndarray:
    """Varies features of any kind as other people and other sensors would: their size, their place, and trembling.

    Args:
      features: float32 [F, D].
      config: `scale` is the share by which each feature grows or shrinks and, in its standard deviations, how far it
        moves; `jitter`, in the same unit, how much it trembles.
      generator: source of chance.

    Returns:
      float32 [F, D].
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    size = np.exp(np.log1p(config.scale) * generator.uniform(-1, 1, len(mean)))
    place = config.scale * generator.normal(size=len(mean)) * deviation
    trembling = config.jitter * generator.normal(size=features.shape) * deviation
    return ((features - mean) * size + mean + place + trembling).astype(np.float32)


def hands_there(landmarks: np.ndarray) -> np.ndarray:
    """Tells which hands are there, bool [F, 2], of landmarks [F, 2, 21, 3]: those that are not all zero."""
    return np.any(landmarks != 0, axis=(2, 3))


def interpolate(features: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Returns features [F, D] at other times, float [G] in frames: float32 [G, D], linear between two frames."""
    before = np.floor(times).astype(int)
    after = np.minimum(before + 1, len(features) - 1)
    share = (times - before)[:, None].astype(np.float32)
    return ((1 - share) * features[before] + share * features[after]).astype(np.float32)
