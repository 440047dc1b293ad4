"""From landmarks, or other features, to labels as core TensorFlow operations: the signatures of the export."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from ostinato.export import Endpoint, Preset, Stream
from ostinato.layers import SequenceClassifier
from ostinato_gesture.model import FRAME_SHAPE, LANDMARKS

WHOLE = "serving_default"


class GestureGraph:
    """Labels recordings, and streams frame by frame or some frames at a time.

    Args:
      model: from frames to logits: from landmarks, by its encoder, or from features.
      labels: in the order of the logits.
      kind: `landmarks` or `features`, which is also the name of the input.
      frame_shape: of the frames that are no landmarks, such as (8,).
      temperature: logits are divided by it, so that scores are the probabilities that they seem to be.

    Reference: Guo et al. 2017, section 4.2 (temperature scaling).
    """

    def __init__(
        self,
        model: SequenceClassifier,
        labels: Sequence[str],
        kind: str,
        *,
        frame_shape: tuple[int, ...] = FRAME_SHAPE,
        temperature: float = 1.0,
    ) -> None:
        self.model, self.labels, self.kind, self.temperature = model, tuple(labels), kind, temperature
        self.frame_shape = FRAME_SHAPE if kind == LANDMARKS else frame_shape
        self.state = {
            f"state_{name}": tf.TensorSpec([None, *shape], dtype, name=f"state_{name}")
            for name, (shape, dtype) in model.state_spec().items()
        }

    def endpoints(self) -> list[Endpoint | Preset]:
        """Returns the signatures: one for whole recordings, two for streams."""
        state = list(self.state.values())
        frame = tf.TensorSpec([None, *self.frame_shape], tf.float32, name=self.kind)
        frames = tf.TensorSpec([None, None, *self.frame_shape], tf.float32, name=self.kind)
        same, each = {"labels": "labels", "scores": "scores"}, {"frame_scores": "frame_scores"}
        names = {self.kind: self.kind}
        chunks = Endpoint("steps", self.steps, [frames, *state], stream=Stream(WHOLE, names, each, same, several=True))
        return [
            # A recording is a stream that begins with it: both share a graph.
            Preset(WHOLE, chunks, dict.fromkeys(self.state, 0), ("labels", "scores", "frame_scores")),
            Endpoint("step", self.step, [frame, *state], stream=Stream(WHOLE, names, each, same)),
            chunks,
        ]

    def step(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads one frame of each stream, and its state: zero at first, then that of the step before.

        Args:
          inputs: `landmarks` float32 [B, 2, 21, 3], zero for hands that are not there, or `features` float32 [B, D];
            and the state.

        Returns:
          labels string [B] and scores float32 [B, L] of all that was seen so far, frame_scores float32 [B, L], state.
        """
        scores, after = self.model.step(inputs[self.kind], self._carried(inputs))
        return {**self._outputs(scores.clip_logits, scores.frame_logits), **_named(after)}

    def steps(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads one or more frames of each stream, [B, F, ...], as so many steps would and faster.

        Frames come at the frame rate of the training data.

        Returns:
          As `step`, with frame_scores float32 [B, F, L].
        """
        scores, after = self.model.steps(inputs[self.kind], self._carried(inputs))
        return {**self._outputs(scores.clip_logits[:, -1], scores.frame_logits), **_named(after)}

    def _outputs(self, clip_logits: tf.Tensor, frame_logits: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "labels": tf.gather(self.labels, tf.argmax(clip_logits, axis=-1)),
            "scores": tf.nn.softmax(clip_logits / self.temperature),
            "frame_scores": tf.nn.softmax(frame_logits / self.temperature),
        }

    def _carried(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {name.removeprefix("state_"): inputs[name] for name in self.state}


def _named(state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {f"state_{name}": tensor for name, tensor in state.items()}
