"""The second phase of training: the last blocks of the image network learn, together with what reads their features."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ostinato.errors import DataError
from ostinato.layers import SequenceClassifier
from ostinato.sequences.batches import Variation
from ostinato.sequences.outputs import StreamOutput
from ostinato.sequences.store import SequenceStore
from ostinato.sequences.training import StreamTraining, compile_for_labels, fit_to_end, make_classifier
from ostinato.training import feed_epochs
from ostinato_video.config import TrainConfig
from ostinato_video.features import make_frame_encoder, steps_of_frames
from ostinato_video.frame_batches import FrameBatches
from ostinato_video.model import with_encoder
from ostinato_video.reading import chunks_of, open_video
from ostinato_video.run import Run


class LabelledStreams(keras.Model):
    """A classifier of frames as `fit` sees it, which goes on from batch to batch with what it has seen of each video.

    So windows may be short, and yet it learns from the background and the memory that it will have in use. Gradients
    end where a window begins.

    Args:
      classifier: of frames, built; it holds all the weights but the state.
      num_streams: B, videos side by side.
      window: F, frames of each in a batch.
      image_size: pixels of the square frames.

    Call arguments:
      inputs: frames float [B, F, image_size, image_size, 3], mask bool [B, F], and starts bool [B], True where a video
        begins.

    Returns:
      logits float32 [B, F + 1, L], the last row that of the video so far.

    Reference: Williams and Peng 1990 (truncated backpropagation through time).
    """

    def __init__(self, classifier: SequenceClassifier, num_streams: int, window: int, image_size: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.classifier = classifier
        self._frames_shape = (num_streams, window, image_size, image_size, 3)
        self.carried = {
            name: self.add_weight(
                name=f"carried_{name}", shape=(num_streams, *shape), dtype=dtype, initializer="zeros", trainable=False
            )
            for name, (shape, dtype) in classifier.state_spec().items()
        }
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        frames, mask, starts = inputs
        frames = ops.reshape(frames, self._frames_shape)
        state = {
            name: ops.where(ops.reshape(starts, (-1,) + (1,) * (len(variable.shape) - 1)), 0.0, variable)
            for name, variable in self.carried.items()
        }
        scores, after = self.classifier.masked_steps(frames, state, mask, training=training)
        for name, variable in self.carried.items():
            variable.assign(after[name])
        return ops.concatenate([scores.frame_logits, scores.clip_logits[:, -1:]], axis=1)


class FineTuning:
    """Trains the last blocks of a run's image network, and a classifier of its features, on videos themselves.

    Args:
      run: prepared; its videos are where they were.
      classifier: of the features that `prepare` has cached, trained on them; it stays as it is.
      rows: of the run's store, those to train on, no variants.
      config: settings.

    Attributes:
      classifier: of frames; trained in place.

    Raises:
      ConfigError, DataError: see `Run.check_can_fine_tune`.
    """

    def __init__(self, run: Run, classifier: SequenceClassifier, rows: Sequence[int], config: TrainConfig):
        run.check_can_fine_tune(rows)
        self.run, self.config = run, config
        self.batches = FrameBatches(run, rows, config)
        encoder = make_frame_encoder(run.prepare_config)
        encoder.image_encoder.set_trainable_blocks(config.fine_tune_blocks)
        self.classifier = with_encoder(classifier, encoder)
        self.model = LabelledStreams(
            self.classifier, self.batches.num_streams, config.fine_tune_window, encoder.image_size
        )
        compile_for_labels(
            self.model, config, learning_rate=config.fine_tune_learning_rate, num_updates=self.num_updates
        )
        self._feed = feed_epochs(self.batches, ahead=1)  # of frames, few batches fill the memory
        self._steps = steps_of_frames(self.classifier, encoder.image_size)

    @property
    def num_epochs(self) -> int:
        """Passes over the data, of the whole phase."""
        return self.config.fine_tune_epochs

    @property
    def num_updates(self) -> int:
        """Updates of the whole phase."""
        return sum(self.batches.num_batches(epoch) for epoch in range(self.num_epochs))

    def fit(self) -> None:
        """Trains to the end, and leaves the averaged weights in place."""
        fit_to_end(self.model, self.batches, self.num_epochs)

    def feed(self, epoch: int) -> Iterable[tuple]:
        """Returns the batches of an epoch, from 0, as `fit_resumably` wants them."""
        return self._feed(epoch)

    def read(self, rows: Sequence[int]) -> list[StreamOutput]:
        """Returns what the classifier, as it is now, says of the videos of these rows.

        Raises:
          DataError: a video has another number of frames than when it was prepared.
          InputError: a video cannot be read.
        """
        return [self._read(row) for row in rows]

    def _read(self, row: int) -> StreamOutput:
        record = self.run.store.records[row]
        state = self.classifier.initial_state(1)
        frame_logits, clip_logits = [], np.zeros(len(self.run.labels), np.float32)
        with (
            open_video(record.name, self.run.prepare_config.frame_rate) as reader,
            closing(chunks_of(reader)) as chunks,
        ):
            for chunk in chunks:
                scores, state = self._steps(tf.constant(chunk.images[None]), state)
                frame_logits.append(scores.frame_logits[0].numpy())
                clip_logits = scores.clip_logits[0, -1].numpy()
        found = np.concatenate(frame_logits)
        if len(found) != record.num_frames:
            raise DataError(
                f"{record.name} has {len(found)} frames, not {record.num_frames} as when it was prepared; put back the "
                "video that was there"
            )
        return StreamOutput(found, clip_logits)


def fine_tune_and_read(
    run: Run,
    store: SequenceStore,
    train_rows: Sequence[int],
    read_rows: Sequence[int],
    num_labels: int,
    config: TrainConfig,
    vary: Variation | None = None,
) -> list[StreamOutput]:
    """Trains a new network in both phases on some of a run's videos and returns what it says of others.

    Arguments but the first as those of `ostinato.sequences.training.train_and_read`.
    """
    classifier = make_classifier(config, num_labels, store.feature_size)
    StreamTraining(classifier, store, train_rows, config, vary).run()
    originals = [row for row in train_rows if store.records[row].variant_of is None]
    tuning = FineTuning(run, classifier, originals, config)
    tuning.fit()
    outputs = tuning.read(read_rows)
    del tuning, classifier
    gc.collect()  # as in `train_and_read`
    return outputs
