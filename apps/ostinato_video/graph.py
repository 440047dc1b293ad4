"""From frames to labels as core TensorFlow operations: what the signatures of the export are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from ostinato.export import Endpoint, Preset, Stream
from ostinato.export.row_groups import count_rows, fold_groups, in_groups
from ostinato.images.graph import load_photos
from ostinato.layers import SequenceClassifier
from ostinato_video.features import resize_frames

WHOLE = "serving_default"
_FRAMES_AT_ONCE = 16  # some 12 MB each while they are looked at; more at once are no faster
_CLIPS = tf.TensorSpec([None, None, None, None, 3], tf.uint8, name="frames")  # [B, F, H, W, 3]


class VideoGraph:
    """Labels clips, and streams frame by frame or some frames at a time.

    Args:
      model: from frames to logits; it has an encoder.
      labels: in the order of the logits.
      image_size: pixels of the square that frames are resized to.
      temperature: logits are divided by it, so that scores are the probabilities that they seem to be.

    Reference: Guo et al. 2017, section 4.2 (temperature scaling).
    """

    def __init__(
        self, model: SequenceClassifier, labels: Sequence[str], *, image_size: int, temperature: float = 1.0
    ) -> None:
        self.model, self.labels = model, tuple(labels)
        self.image_size, self.temperature = image_size, temperature
        self._state = {
            f"state_{name}": tf.TensorSpec([None, *shape], dtype, name=f"state_{name}")
            for name, (shape, dtype) in model.state_spec().items()
        }

    def endpoints(self) -> list[Endpoint | Preset]:
        """Returns the signatures: two for whole clips, two for streams."""
        state = list(self._state.values())
        photos = tf.TensorSpec([None, None], tf.string, name="jpeg_frames")
        frame = tf.TensorSpec([None, None, None, 3], tf.uint8, name="frame")
        same = {"labels": "labels", "scores": "scores"}
        each = {"frame_scores": "frame_scores"}
        of_chunks = Stream(WHOLE, {"frames": "frames"}, each, same, several=True)
        chunks = Endpoint("steps", self.steps, [_CLIPS, *state], stream=of_chunks)
        return [
            # A clip is a stream that begins with it: both share a graph.
            Preset(WHOLE, chunks, dict.fromkeys(self._state, 0), ("labels", "scores", "frame_scores")),
            Endpoint("jpeg_frames", self.classify_photos, [photos], binary_inputs=("jpeg_frames",)),
            Endpoint("step", self.step, [frame, *state], stream=Stream(WHOLE, {"frame": "frames"}, each, same)),
            chunks,
        ]

    def classify_photos(self, jpeg_frames: tf.Tensor) -> dict[str, tf.Tensor]:
        """Labels clips whose frames are image files string [B, F], in any format that `ostinato.images` decodes.

        Returns:
          labels string [B] and scores float32 [B, L] of each clip as a whole, frame_scores float32 [B, F, L].
        """

        def load(photos: tf.Tensor) -> tf.Tensor:
            size = tf.shape(photos)
            frames = load_photos(tf.reshape(photos, [-1]), self.image_size)
            return tf.reshape(frames, [size[0], size[1], self.image_size, self.image_size, 3])

        state = _named(self.model.initial_state(tf.shape(jpeg_frames)[0]))
        answer = self._read(jpeg_frames, state, load)
        return {name: answer[name] for name in ("labels", "scores", "frame_scores")}

    def step(self, frame: tf.Tensor, **state: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads one frame of each stream, uint8 [B, H, W, 3]; state zero at first, then that of the step before.

        Returns:
          labels string [B] and scores float32 [B, L] of all that was seen so far, frame_scores float32 [B, L], state.
        """
        with tf.control_dependencies([count_rows({"frame": frame, **state})]):
            square = square_frames(frame[:, tf.newaxis], self.image_size)[:, 0]
        scores, after = self.model.step(square, self._carried(state))
        return {**self._outputs(scores.clip_logits, scores.frame_logits), **_named(after)}

    def steps(self, frames: tf.Tensor, **state: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads one or more frames of each stream, uint8 [B, F, H, W, 3], as so many steps would and faster.

        Frames are RGB, and come at the frame rate of the training data.

        Returns:
          As `step`, with frame_scores float32 [B, F, L].
        """
        return self._read(frames, state, lambda some: square_frames(some, self.image_size))

    def _read(
        self, frames: tf.Tensor, state: dict[str, tf.Tensor], load: Callable[[tf.Tensor], tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """Reads streams a few at a time, and a few frames of them at a time: a step need not know how many follow."""

        def read_some(some: dict[str, tf.Tensor], carried: dict[str, tf.Tensor]) -> Any:
            state = {name: carried[name] for name in self._state}
            scores, after = self.model.steps(load(some["frames"]), self._carried(state))
            return {"frames": scores.frame_logits}, {"clip": scores.clip_logits[:, -1], **_named(after)}

        def read_streams(streams: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            frames, state = streams["frames"], {name: streams[name] for name in self._state}
            num_streams = tf.shape(frames)[0]
            carried = {"clip": tf.zeros([num_streams, len(self.labels)]), **state}
            some = _FRAMES_AT_ONCE // tf.clip_by_value(num_streams, 1, _FRAMES_AT_ONCE)
            logits, after = fold_groups(read_some, {"frames": frames}, carried, some, axis=1)
            state = {name: after[name] for name in self._state}
            return {**self._outputs(after["clip"], logits["frames"]), **state}

        return in_groups(read_streams, {"frames": frames, **state}, _FRAMES_AT_ONCE)

    def _outputs(self, clip_logits: tf.Tensor, frame_logits: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "labels": tf.gather(self.labels, tf.argmax(clip_logits, axis=-1)),
            "scores": tf.nn.softmax(clip_logits / self.temperature),
            "frame_scores": tf.nn.softmax(frame_logits / self.temperature),
        }

    def _carried(self, state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {name.removeprefix("state_"): state[name] for name in self._state}


def square_frames(frames: tf.Tensor, image_size: int) -> tf.Tensor:
    """As `resize_frames`, but frames uint8 [B, F, H, W, 3] that have the size already cost nothing."""
    square = tf.cond(
        tf.reduce_all(tf.shape(frames)[2:4] == image_size),
        lambda: tf.cast(frames, tf.float32),
        lambda: resize_frames(frames, image_size),
    )
    return tf.ensure_shape(square, [None, None, image_size, image_size, 3])


def _named(state: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return {f"state_{name}": tensor for name, tensor in state.items()}
