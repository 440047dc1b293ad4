"""Videos to features of their frames, a few frames at a time: memory does not grow with their length."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ostinato.errors import ConfigError
from ostinato.frames.reading import Frame
from ostinato.layers import FrameEncoder
from ostinato_video.config import PrepareConfig
from ostinato_video.reading import chunks_of


class FrameFeatures(NamedTuple):
    """Some consecutive frames of a video.

    Attributes:
      features: float32 [F, D].
      times: float64 [F], seconds from the start of the video.
      numbers: int64 [F], of the frames in the file; one that is repeated has its number twice.
    """

    features: np.ndarray
    times: np.ndarray
    numbers: np.ndarray


class FeatureReader:
    """Reads videos with the image network of a run.

    Args:
      config: settings.

    Raises:
      ConfigError: there is no such image network.
    """

    def __init__(self, config: PrepareConfig):
        self.encoder = make_frame_encoder(config)
        frames = tf.TensorSpec([1, None, None, None, 3], tf.uint8)
        state = {name: tf.TensorSpec([1, *shape], dtype) for name, (shape, dtype) in self.encoder.state_spec().items()}
        self._steps = tf.function(self._read, input_signature=[frames, state], autograph=False)

    def __call__(self, frames: Iterable[Frame], *, mirrored: bool = False) -> Generator[FrameFeatures, None, None]:
        """Yields the features of a video's frames; the next ones are decoded while the network reads.

        Who stops before the end closes the generator before the video, which a thread may be reading still.
        """
        state = self.encoder.initial_state(1)
        with closing(chunks_of(frames)) as chunks:
            for chunk in chunks:
                images = chunk.images[:, :, ::-1] if mirrored else chunk.images
                features, state = self._steps(tf.constant(images[None]), state)
                yield FrameFeatures(features[0].numpy(), chunk.times, chunk.numbers)

    def _read(self, frames: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        return self.encoder.steps(resize_frames(frames, self.encoder.image_size), state)


def make_frame_encoder(config: PrepareConfig) -> FrameEncoder:
    """Builds what reads frames, with the weights of ImageNet.

    Raises:
      ConfigError: there is no such image network, or its weights are not installed.
    """
    try:
        encoder = FrameEncoder(
            config.network,
            weights="imagenet",
            image_size=config.image_size,
            parts=config.parts,
            background_rate=config.background_rate,
            folded=True,
        )
    except (ValueError, FileNotFoundError) as error:
        raise ConfigError(f"--network {config.network}: {error}") from error
    encoder.build((None, None, config.image_size, config.image_size, 3))
    return encoder


def resize_frames(frames: tf.Tensor, image_size: int) -> tf.Tensor:
    """Resizes frames as `ostinato.images` does photos: bilinear with antialiasing, the aspect ratio not kept.

    Args:
      frames: uint8 [B, F, H, W, 3].
      image_size: side of the square in pixels.

    Returns:
      float32 [B, F, image_size, image_size, 3], from 0 to 255.
    """
    shape = tf.shape(frames)
    flat = tf.reshape(frames, tf.concat([[shape[0] * shape[1]], shape[2:]], axis=0))
    squares = tf.image.resize(flat, [image_size, image_size], method="bilinear", antialias=True)
    return tf.reshape(squares, [shape[0], shape[1], image_size, image_size, 3])
