"""Pipelines of `tf.data` that are let go of at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns the dataset without the thread that tunes it while it is read.

    Between two looks that thread sleeps for up to a minute, and now and then whoever lets go of an iterator, as `fit`
    does after each epoch, has to sit that out (TensorFlow 2.21).
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
