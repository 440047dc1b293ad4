"""Training windows varied at random: landmarks as hands move, other features in time, size, place and direction."""

from __future__ import annotations

import numpy as np

from ostinato.sequences.batches import Variation
from ostinato.sequences.blending import Blending, resampled
from ostinato_gesture.augmentation import AugmentationConfig, rotation_matrix, vary, vary_times
from ostinato_gesture.augmentation_config import parse_points
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
        varied = vary_sensors(resampled(features, times), config, generator)
        return varied, labels[np.rint(times).astype(int)]

    return vary_landmarks if kind == LANDMARKS else vary_features


def make_blending(config: AugmentationConfig, kind: str) -> Blending | None:
    """Returns what blends clips of a kind of sequence; None for landmarks, among which are those of hands not there."""
    return Blending(config.blended) if config.blended and kind != LANDMARKS else None


def vary_sensors(features: np.ndarray, config: AugmentationConfig, generator: np.random.Generator) -> np.ndarray:
    """Varies features of any kind as other people and other sensors would: their size, their place, and trembling.

    Args:
      features: float32 [F, D].
      config: `scale` is the share by which each feature grows or shrinks; `place`, in its standard deviations, how far
        it lies elsewhere; `jitter`, in the same unit, how much it trembles; `rotation`, how far points turn.
      generator: source of chance.

    Returns:
      float32 [F, D].
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    size = np.exp(np.log1p(config.scale) * generator.uniform(-1, 1, len(mean)))
    place = config.place * generator.normal(size=len(mean)) * deviation
    trembling = config.jitter * generator.normal(size=features.shape) * deviation
    varied = ((features - mean) * size + mean + place + trembling).astype(np.float32)
    for columns in map(list, parse_points(config.points)):
        angles = np.radians(config.rotation) * generator.uniform(-1, 1, 3)
        if len(columns) == 2:
            angles[:2] = 0  # it stays in its plane
        matrix = rotation_matrix(angles)[: len(columns), : len(columns)].astype(np.float32)
        begin = varied[:1, columns]
        varied[:, columns] = (varied[:, columns] - begin) @ matrix.T + begin
    return varied


def hands_there(landmarks: np.ndarray) -> np.ndarray:
    """Tells which hands are there, bool [F, 2], of landmarks [F, 2, 21, 3]: those that are not all zero."""
    return np.any(landmarks != 0, axis=(2, 3))
