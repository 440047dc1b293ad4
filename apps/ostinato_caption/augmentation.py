"""Photos for the phase in which the image network learns: read from disk, varied at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ostinato.images.graph import load_photos
from ostinato.images.reading import read_photo

_LEAST_SHARE = 0.7  # of width and of height that a random crop keeps
_BRIGHTNESS, _CONTRAST = 0.15, (0.8, 1.2)


def read_plain(paths: Sequence[str], image_size: int) -> np.ndarray:
    """Returns photos as prediction sees them, float32 [B, size, size, 3], RGB in 0..255.

    Raises:
      InputError: one of them cannot be read (any more).
    """
    return load(_contents(paths), image_size).numpy()


def read_augmented(paths: Sequence[str], image_size: int, *, seed: int) -> np.ndarray:
    """Returns photos cropped, mirrored, and changed in brightness and contrast at random.

    Args:
      paths: B files.
      image_size: pixels of the square they are resized to.
      seed: the same seed gives the same variations.

    Returns:
      float32 [B, size, size, 3], RGB in 0..255.

    Raises:
      InputError: a photo cannot be read (any more).
    """
    return vary(load(_contents(paths), image_size), tf.constant([seed, 0])).numpy()


def _contents(paths: Sequence[str]) -> tf.Tensor:
    return tf.constant([read_photo(path) for path in paths])


@tf.function(autograph=False, reduce_retracing=True)
def load(image_bytes: tf.Tensor, image_size: int) -> tf.Tensor:
    """Returns photos as prediction sees them, float32 [B, size, size, 3], from their bytes string [B]."""
    return load_photos(image_bytes, image_size)


@tf.function(autograph=False, reduce_retracing=True)
def vary(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Crops, mirrors, and changes brightness and contrast of photos float [B, H, W, 3] at random, by a seed int [2]."""
    batch, height, width = tf.shape(images)[0], tf.shape(images)[1], tf.shape(images)[2]
    seeds = tf.random.split(seed, 5)
    shares = tf.random.stateless_uniform([batch, 2], seeds[0], _LEAST_SHARE, 1.0)
    corners = tf.random.stateless_uniform([batch, 2], seeds[1]) * (1.0 - shares)
    boxes = tf.concat([corners, corners + shares], axis=1)  # y1, x1, y2, x2 in 0..1
    images = tf.image.crop_and_resize(images, boxes, tf.range(batch), [height, width])
    mirrored = tf.random.stateless_uniform([batch, 1, 1, 1], seeds[2]) < 0.5
    images = tf.where(mirrored, images[:, :, ::-1], images)
    brightness = tf.random.stateless_uniform([batch, 1, 1, 1], seeds[3], -_BRIGHTNESS, _BRIGHTNESS)
    contrast = tf.random.stateless_uniform([batch, 1, 1, 1], seeds[4], *_CONTRAST)
    mean = tf.reduce_mean(images, axis=[1, 2], keepdims=True)
    return tf.clip_by_value((images - mean) * contrast + mean + 255.0 * brightness, 0.0, 255.0)
