"""Pipelines of `tf.data` that are let go of at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset without the thread that tunes it while it is read.

    Between two looks that thread sleeps for up to a minute, and whoever lets go of an iterator sits that out
    (TensorFlow 2.21): after each epoch of training, for one.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
