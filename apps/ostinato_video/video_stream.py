"""A video that is labelled while it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ostinato.errors import InputError
from ostinato_video.results import FrameResult
from ostinato_video.timeline import SteadyLabel, confident_label

if TYPE_CHECKING:
    from ostinato.export import Model
    from ostinato_video.config import TimelineConfig


class VideoStream:
    """Reads frame after frame, each at the same cost and in the same memory however many came before.

        stream = VideoClassifier.load().stream()
        for image in camera:
            result = stream.step(image)

    Frames are expected at about the model's frame rate: it has learned how much changes between two of them.

    Args:
      model: exported, or `unexported_model`.
      labels: of the model, in order.
      timeline: how steady labels are, and the confidence below which they are `unknown`.
    """

    def __init__(self, model: Model, labels: tuple[str, ...], timeline: TimelineConfig) -> None:
        from ostinato.export import StreamingSession

        self.labels, self.timeline = labels, timeline
        self._session = StreamingSession(model)
        self._steady = SteadyLabel(len(labels), timeline.switch_cost)

    def reset(self) -> None:
        """Forgets what was seen: the next frame is the first one of another video."""
        self._session.reset()
        self._steady = SteadyLabel(len(self.labels), self.timeline.switch_cost)

    def step(self, image: np.ndarray) -> FrameResult:
        """Reads the next frame, uint8 [H, W, 3], RGB, of any size.

        Raises:
          InputError: it is no such array.
        """
        outputs = self._session.step(checked_image(image)[np.newaxis])
        scores, clip_scores = outputs["frame_scores"][0], outputs["scores"][0]
        number, clip_number = self._steady(scores), int(clip_scores.argmax())
        confidence, clip_confidence = float(scores[number]), float(clip_scores[clip_number])
        return FrameResult(
            label=confident_label(self.labels[number], confidence, self.timeline),
            confidence=confidence,
            scores=scores,
            clip_label=confident_label(self.labels[clip_number], clip_confidence, self.timeline),
            clip_confidence=clip_confidence,
        )


def checked_image(image: np.ndarray) -> np.ndarray:
    """Returns an image as it is.

    Raises:
      InputError: it is not uint8 [H, W, 3].
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        kind = f"{image.dtype} {list(image.shape)}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(f"a frame is {kind}; give an array uint8 [height, width, 3], RGB")
    if not image.size:
        raise InputError(f"a frame of {image.shape[1]} x {image.shape[0]} pixels shows nothing; give a larger one")
    return image
