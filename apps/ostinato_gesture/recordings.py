"""Recordings in pieces, as the network reads them: landmarks of hands in images, or arrays that hold frames already."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from ostinato.errors import InputError
from ostinato.frames.reading import Frame
from ostinato_gesture.landmarks import HandLandmarks
from ostinato_gesture.model_facts import ModelFacts

_CHUNK = 32  # frames


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Consecutive frames of a recording, one at least.

    Attributes:
      frames: float32 [F, 2, 21, 3] of landmarks, or [F, D] of other features.
      times: float64 [F], seconds.
      hands: bool [F], whether a hand is in the frame; all True where frames are no landmarks.
    """

    frames: np.ndarray
    times: np.ndarray
    hands: np.ndarray


def chunks_of_images(frames: Iterable[Frame], hand_landmarks: HandLandmarks) -> Iterator[Chunk]:
    """Yields the landmarks of the hands in the frames of one video, in their order.

    Args:
      frames: of the video.
      hand_landmarks: new, or restarted for this video.
    """
    found: list[np.ndarray] = []
    times: list[float] = []
    for frame in frames:
        found.append(hand_landmarks.detect(frame.image, frame.time).landmarks)
        times.append(frame.time)
        if len(found) == _CHUNK:
            yield _landmark_chunk(np.stack(found), np.array(times))
            found, times = [], []
    if found:
        yield _landmark_chunk(np.stack(found), np.array(times))


def chunks_of_array(frames: np.ndarray, facts: ModelFacts) -> Iterator[Chunk]:
    """Yields pieces of an array float32 [F, ...], as `checked_frames` returns it, at the model's frame rate."""
    for start in range(0, len(frames), _CHUNK):
        part = frames[start : start + _CHUNK]
        times = (start + np.arange(len(part))) / facts.frame_rate
        yield _landmark_chunk(part, times) if facts.reads_images else Chunk(part, times, np.ones(len(part), bool))


def checked_frames(frames: np.ndarray, facts: ModelFacts) -> np.ndarray:
    """Returns frames as the model reads them, float32 [F, 2, 21, 3] or [F, D].

    Raises:
      InputError: they are not what the model reads, or none, or not all numbers.
    """
    wanted = f"{facts.kind} [{', '.join(map(str, ('frames', *facts.frame_shape)))}]"
    if frames.dtype.kind not in "fiu" or frames.shape[1:] != facts.frame_shape:
        raise InputError(f"The model reads {wanted}, not {frames.dtype} {list(frames.shape)}; give such an array.")
    if not len(frames):
        raise InputError(f"There are no frames to look at; give {wanted}.")
    frames = frames.astype(np.float32)
    if not np.isfinite(frames).all():
        raise InputError(f"{facts.kind.capitalize()} must be finite numbers; give zeros for what was not measured.")
    return frames


def is_image(frame: np.ndarray) -> bool:
    """Tells an image, uint8 [H, W, 3], from landmarks and features."""
    return frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3


def _landmark_chunk(landmarks: np.ndarray, times: np.ndarray) -> Chunk:
    return Chunk(landmarks, times, np.asarray(landmarks.any(axis=(1, 2, 3))))
