"""Training of stream classifiers with Keras `fit`, on windows whose frames and whole are labelled."""

from __future__ import annotations

import gc
import itertools
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import keras
from keras import ops

from ostinato.layers import SequenceClassifier
from ostinato.sequences.batches import Variation, WindowBatches
from ostinato.sequences.blending import Blending
from ostinato.sequences.config import StreamConfig
from ostinato.sequences.joining import Joining
from ostinato.sequences.outputs import StreamOutput
from ostinato.sequences.reading import StreamReader
from ostinato.sequences.store import SequenceStore
from ostinato.training import averaged_weights, feed, feed_epochs, make_optimizer
from ostinato.training.batches import EndWithLastBatch

TRAINING = "training"  # the one phase of those who have but one


class LabelledWindows(keras.Model):
    """A classifier as `fit` sees it: logits of every frame, and one row more for the window as a whole.

    So one loss with one weight a row trains both heads, and needs no loss of its own kind.

    Args:
      classifier: what is trained; it holds all the weights.

    Call arguments:
      inputs: features float [B, F, D] and mask bool [B, F].

    Returns:
      logits float32 [B, F + 1, L].
    """

    def __init__(self, classifier: SequenceClassifier, **kwargs: Any):
        super().__init__(**kwargs)
        self.classifier = classifier

    def build(self, input_shape: Any) -> None:
        """Builds the classifier, unless it is built already."""
        if not self.classifier.built:
            self.classifier.build(input_shape[0])
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        features, mask = inputs
        scores = self.classifier(features, mask, training=training)
        return ops.concatenate([scores.frame_logits, scores.clip_logits[:, -1:]], axis=1)


def make_classifier(config: StreamConfig, num_labels: int, feature_size: int, **kwargs: Any) -> SequenceClassifier:
    """Returns a built network for features that the store of a run holds."""
    keras.utils.set_random_seed(config.seed)
    classifier = SequenceClassifier(
        num_labels,
        units=config.units,
        num_layers=config.num_layers,
        projection_size=config.projection_size,
        dropout=config.dropout,
        input_dropout=config.input_dropout,
        recurrent=config.recurrent,
        dtype=config.precision,
        **{"differences": False, "standardise": True, **kwargs},
    )
    classifier.build((None, None, feature_size))
    return classifier


class Learner(Protocol):
    """What learns in one phase of the training of a run."""

    classifier: SequenceClassifier
    """trained in place"""
    model: keras.Model
    """compiled; it holds the classifier"""

    @property
    def num_epochs(self) -> int: ...

    @property
    def num_updates(self) -> int: ...

    def feed(self, epoch: int) -> Iterable[tuple]: ...

    def read(self, rows: Sequence[int]) -> list[StreamOutput]: ...


class StreamTraining:
    """Trains a classifier on some of a store's sequences.

    Args:
      classifier: built; trained in place.
      store: the sequences.
      rows: those to train on.
      config: settings.
      vary: changes windows at random.
      joining: makes streams of some of the clips.
      blending: blends some of the clips with others of their label.
    """

    def __init__(
        self,
        classifier: SequenceClassifier,
        store: SequenceStore,
        rows: Sequence[int],
        config: StreamConfig,
        vary: Variation | None = None,
        joining: Joining | None = None,
        blending: Blending | None = None,
    ):
        self.classifier, self.store, self.config = classifier, store, config
        self.batches = WindowBatches(store, rows, classifier.num_labels, config, vary, joining, blending)
        standardisation = getattr(classifier if classifier.standardise else classifier.encoder, "standardisation", None)
        if standardisation is not None:
            standardisation.adapt(*store.mean_and_deviation(rows))
        self.model = LabelledWindows(classifier)
        self.model.build(((None, None, store.feature_size), (None, None)))
        compile_for_labels(self.model, config, learning_rate=config.learning_rate, num_updates=self.num_updates)
        self._feed = feed_epochs(self.batches)
        self._reader = StreamReader(classifier, store.feature_size)

    @property
    def num_updates(self) -> int:
        """Updates of the whole training."""
        return self.batches.num_batches() * self.num_epochs

    def run(self) -> None:
        """Trains to the end, and leaves the averaged weights in place."""
        fit_to_end(self.model, self.batches, self.num_epochs)

    @property
    def num_epochs(self) -> int:
        """Passes over the data, of the whole training."""
        return self.config.epochs

    def feed(self, epoch: int) -> Iterable[tuple]:
        """Returns the batches of an epoch, from 0, as `fit_resumably` wants them."""
        return self._feed(epoch)

    def read(self, rows: Sequence[int]) -> list[StreamOutput]:
        """Returns what the classifier, as it is now, says of whole sequences."""
        return self._reader.read(self.store, rows)


def compile_for_labels(model: keras.Model, config: StreamConfig, *, learning_rate: float, num_updates: int) -> None:
    """Gives a built model of logits [B, F + 1, L] its loss and optimizer.

    Args:
      model: what is trained.
      config: settings.
      learning_rate: the greatest one.
      num_updates: of the whole training.
    """
    optimizer = make_optimizer(
        learning_rate=learning_rate,
        num_updates=num_updates,
        warmup_updates=round(config.warmup_share * num_updates),
        weight_decay=config.weight_decay,
        gradient_clip=config.gradient_clip,
        averaging=config.averaging,
    )
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=config.label_smoothing, reduction="mean_with_sample_weight"
    )
    model.compile(optimizer, loss)
    optimizer.build(model.trainable_variables)  # made within the first update, they would have it traced twice


def fit_to_end(model: keras.Model, batches: Callable[[int], Iterable[tuple]], epochs: int) -> None:
    """Trains a compiled model on the batches of each epoch, from 0, and leaves the averaged weights in place."""
    data = feed(lambda: itertools.chain.from_iterable(map(batches, range(epochs))))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Your input ran out of data")  # as it does, at the end of all
        model.fit(data, verbose=0, shuffle=False, callbacks=[EndWithLastBatch(data)])
    with averaged_weights(model):
        averages = [ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    for variable, average in zip(model.trainable_variables, averages, strict=True):
        variable.assign(average)


def train_and_read(
    store: SequenceStore,
    train_rows: Sequence[int],
    read_rows: Sequence[int],
    num_labels: int,
    config: StreamConfig,
    vary: Variation | None = None,
    *,
    joining: Joining | None = None,
    blending: Blending | None = None,
    **kwargs: Any,
) -> list[StreamOutput]:
    """Trains a new network on some sequences and returns what it says of others: a fold of a cross-validation."""
    classifier = make_classifier(config, num_labels, store.feature_size, **kwargs)
    training = StreamTraining(classifier, store, train_rows, config, vary, joining, blending)
    training.run()
    outputs = training.read(read_rows)
    del training, classifier
    gc.collect()  # models and their graphs refer to each other: those of one fold after the other would fill the memory
    return outputs
