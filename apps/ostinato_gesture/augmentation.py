"""Sequences of landmarks varied at random: slower, turned, cut, trembling, with gaps, with the other hand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ostinato_gesture.augmentation_config import AugmentationConfig

__all__ = ["AugmentationConfig", "Varied", "mirror", "resample", "rotation_matrix", "vary", "vary_times"]

_MIRROR = np.array([-1, 1, 1], np.float32)
_MIDDLE = (0.25, 0.75)  # where in a sequence all may keep still: the gesture, not the way there
_HELD = (4, 75)  # frames; of short holds there are as many as of long ones


class Varied(NamedTuple):
    """A sequence after augmentation.

    Attributes:
      landmarks: float32 [G, 2, 21, 3], zero for hands that are not there.
      presence: bool [G, 2].
      times: float32 [G], the place in the original sequence that each frame comes from, in frames; rounded, they give
        each frame its label.
    """

    landmarks: np.ndarray
    presence: np.ndarray
    times: np.ndarray


def vary(landmarks: np.ndarray, presence: np.ndarray, config: AugmentationConfig, *, seed: int) -> Varied:
    """Varies a sequence at random.

    Args:
      landmarks: float [F, 2, 21, 3], as `HandLandmarks` gives them, F at least 1.
      presence: bool [F, 2].
      config: how far.
      seed: the same seed gives the same variation.

    Returns:
      the varied sequence; it is a little longer or shorter.
    """
    random = np.random.default_rng(seed)
    times = vary_times(len(landmarks), config, random)
    landmarks, presence = resample(landmarks, presence, times)
    landmarks = _turn(landmarks, presence, config, random)
    landmarks = _travel(landmarks, presence, config, random)
    landmarks = _tremble(landmarks, presence, config, random)
    presence = presence & (random.random(presence.shape) >= config.frame_dropout)
    if random.random() < config.mirror:
        landmarks, presence = mirror(landmarks, presence)
    if random.random() < config.confused_hands:
        landmarks, presence = landmarks[:, ::-1], presence[:, ::-1]
    return Varied(np.where(presence[:, :, None, None], landmarks, np.float32(0)), presence, times)


def vary_times(num_frames: int, config: AugmentationConfig, random: np.random.Generator) -> np.ndarray:
    """Returns where the frames of a varied sequence come from: crop, speed, time warp and hold.

    Works for any sequence: linear interpolation at these times varies feature vectors too.

    Args:
      num_frames: of the sequence, at least 1.
      config: how far.
      random: the source of chance.

    Returns:
      float32 [G], never decreasing, within 0 and num_frames - 1.
    """
    last = num_frames - 1
    begin, end = last * config.crop * random.random(), last * (1 - config.crop * random.random())
    speed = _factor(config.speed, random)
    length = max(1, round((end - begin) / speed) + 1)
    # The speed along the sequence is piecewise linear between a few places, and positive everywhere.
    knots = 1 + config.time_warp * random.uniform(-1, 1, 5)
    paces = np.interp(np.linspace(0, 4, length), np.arange(5), knots)
    course = np.concatenate([[0.0], np.cumsum((paces[1:] + paces[:-1]) / 2)])
    times = (begin + (end - begin) * course / max(course[-1], 1e-9)).astype(np.float32)
    if random.random() < config.hold:
        still = int(random.uniform(*_MIDDLE) * length)
        times = np.insert(times, still, np.full(round(np.exp(random.uniform(*np.log(_HELD)))), times[still]))
    return times


def resample(landmarks: np.ndarray, presence: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns a sequence at other times, float [G] in frames: between two frames where the hand is in both.

    Where it is in one of the two only, the nearer frame counts.
    """
    before = np.floor(times).astype(int)
    after = np.minimum(before + 1, len(landmarks) - 1)
    share = (times - before).astype(np.float32)
    both = presence[before] & presence[after]  # -> [G, 2]
    nearest = np.where(share < 0.5, before, after)
    weight = share[:, None, None, None]
    between = (1 - weight) * landmarks[before] + weight * landmarks[after]
    moved = np.where(both[:, :, None, None], between, landmarks[nearest]).astype(np.float32)
    return moved, presence[nearest]


def mirror(landmarks: np.ndarray, presence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns a sequence as seen in a mirror, about the middle of the hands: left and right hands are exchanged."""
    x = landmarks[..., 0][presence]
    centre = np.array([x.min() + x.max() if x.size else 0, 0, 0], np.float32)
    mirrored = np.where(presence[:, :, None, None], centre + landmarks * _MIRROR, np.float32(0))
    return mirrored[:, ::-1], presence[:, ::-1]


def rotation_matrix(angles: np.ndarray) -> np.ndarray:
    """Returns the matrix [3, 3] of a turn about the axes x, y and z, one after the other."""
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[[one, other], [one, other]] = np.cos(angle)
        turn[other, one], turn[one, other] = np.sin(angle), -np.sin(angle)
        matrix = turn @ matrix
    return matrix


def _turn(
    landmarks: np.ndarray, presence: np.ndarray, config: AugmentationConfig, random: np.random.Generator
) -> np.ndarray:
    """Turns and stretches the scene about the middle of the wrists; depth stays that from each wrist."""
    angles = np.radians(config.rotation) * random.uniform(-1, 1, 3)
    factors = _factor(config.scale, random) * np.array([1, _factor(config.scale, random), 1])
    matrix = (rotation_matrix(angles) * factors).astype(np.float32)  # stretches first, then turns
    if not presence.any() or not (config.rotation or config.scale):
        return landmarks
    centre = landmarks[:, :, 0][presence].mean(axis=0)
    turned = (landmarks - centre) @ matrix.T + centre
    turned[..., 2] -= turned[:, :, :1, 2]
    return turned


def _travel(
    landmarks: np.ndarray, presence: np.ndarray, config: AugmentationConfig, random: np.random.Generator
) -> np.ndarray:
    """Brings wrists nearer to their middle, or farther from it; hands keep their size."""
    if not presence.any() or not config.reach:
        return landmarks
    wrists = landmarks[:, :, :1, :2]  # -> [G, 2, 1, 2]
    further = np.float32(_factor(config.reach, random) - 1) * (wrists - wrists[presence].mean(axis=0))
    return landmarks + np.concatenate([further, np.zeros_like(further[..., :1])], axis=-1)


def _tremble(
    landmarks: np.ndarray, presence: np.ndarray, config: AugmentationConfig, random: np.random.Generator
) -> np.ndarray:
    """Moves each joint a little in each frame, and lets some stay behind."""
    knuckles = landmarks[:, :, [5, 9, 17]] - landmarks[:, :, :1]
    size = np.linalg.norm(knuckles, axis=-1).mean(axis=-1)[:, :, None, None]  # -> [G, 2, 1, 1]
    noise = random.normal(size=landmarks.shape).astype(np.float32)
    noise[:, :, 0, 2] = 0  # depth is measured from the wrist
    moved = landmarks + np.float32(config.jitter) * size * noise
    stays = random.random(landmarks.shape[:3]) < config.landmark_dropout  # -> [G, 2, 21]
    stays[1:] &= (presence[1:] & presence[:-1])[:, :, None]
    stays[:1] = False
    behind = np.concatenate([moved[:1], moved[:-1]])
    return np.where(stays[..., None], behind, moved)


def _factor(share: float, random: np.random.Generator) -> float:
    """Returns a factor of 1 + share at most and its inverse at least, as likely above as below 1."""
    return float(np.exp(np.log1p(share) * random.uniform(-1, 1)))
