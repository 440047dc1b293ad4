"""Videos to features of their frames, a few frames at a time: memory does not grow with their length."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ostinato.errors import ConfigError
from ostinato.frames.reading import Frame
from ostinato.layers import FrameEncoder, SequenceClassifier
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
        self._steps = steps_of_frames(self.encoder, config.image_size)

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


def steps_of_frames(
    network: FrameEncoder | SequenceClassifier, image_size: int
) -> Callable[[tf.Tensor, dict[str, tf.Tensor]], tuple[Any, dict[str, tf.Tensor]]]:
    """Returns a graph of the steps of a network over frames uint8 [1, F, H, W, 3] of any size and number."""

    def steps(frames: tf.Tensor, state: dict[str, tf.Tensor]) -> tuple[Any, dict[str, tf.Tensor]]:
        return network.steps(resize_frames(frames, image_size), state)

    spec = {name: tf.TensorSpec([1, *shape], dtype) for name, (shape, dtype) in network.state_spec().items()}
    signature = [tf.TensorSpec([1, None, None, None, 3], tf.uint8), spec]
    return tf.function(steps, input_signature=signature, autograph=False)


def squared(images: Sequence[np.ndarray], image_size: int) -> np.ndarray:
    """Resizes images uint8 [H, W, 3], of any sizes; returns float32 [F, image_size, image_size, 3]."""
    groups = [np.stack(list(group)) for _, group in itertools.groupby(images, key=np.shape)]
    return np.concatenate([resize_frames(tf.constant(group[None]), image_size)[0].numpy() for group in groups])


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
