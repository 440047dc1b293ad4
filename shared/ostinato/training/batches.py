"""From examples of different lengths to batches that waste little on padding."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from ostinato.untuned import untuned

_POOL = 50  # batches that are sorted by length together


def bucketed_batches(
    lengths: np.ndarray, *, batch_size: int | None = None, max_tokens: int | None = None, seed: int, epoch: int
) -> list[np.ndarray]:
    """Puts examples of similar length into one batch, in an order that depends on seed and epoch alone.

    The shuffled examples are sorted by length within pools of some fifty batches, then the batches are shuffled: nearly
    random, with nearly no padding.

    Args:
      lengths: int [num_examples], tokens of each example.
      batch_size: examples a batch; or
      max_tokens: greatest number of tokens a batch, padding included. An example longer than that is a batch alone.
      seed: number that makes the order repeatable.
      epoch: number of the epoch, from 0.

    Returns:
      Arrays of example indices; every example is in exactly one.

    Raises:
      ValueError: not exactly one of `batch_size` and `max_tokens` is given.
    """
    if (batch_size is None) == (max_tokens is None):
        raise ValueError("give either batch_size or max_tokens")
    if not len(lengths):
        return []
    generator = np.random.default_rng((seed, epoch))
    order = generator.permutation(len(lengths))
    pool_size = _POOL * (batch_size or max(1, int(max_tokens / max(lengths.mean(), 1))))
    batches: list[np.ndarray] = []
    for start in range(0, len(order), pool_size):
        pool = order[start : start + pool_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches.extend(_cut(pool, lengths, batch_size, max_tokens))
    return [batches[i] for i in generator.permutation(len(batches))]


def _cut(pool: np.ndarray, lengths: np.ndarray, batch_size: int | None, max_tokens: int | None) -> Iterator[np.ndarray]:
    if batch_size is not None:
        yield from (pool[i : i + batch_size] for i in range(0, len(pool), batch_size))
        return
    first = 0
    for end in range(1, len(pool) + 1):
        # sorted, so the next example would set the padded length of all
        if end == len(pool) or lengths[pool[end]] * (end + 1 - first) > max_tokens:
            yield pool[first:end]
            first = end


def shift(targets: np.ndarray, start: int | Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns what a decoder has read when it writes targets: the start token, then all but the last.

    Args:
      targets: int [B, K, T].
      start: what every sequence begins with, or of each input, int [B].
    """
    read = np.roll(targets, 1, axis=2)
    read[:, :, 0] = np.reshape(start, (-1, 1))
    return read


def feed(batches: Callable[[], Iterable[tuple]], *, ahead: int = 4) -> Iterable[tuple]:
    """Makes what `fit` reads from a function that yields batches (nests of arrays) of varying shape.

    Under TensorFlow a `tf.data` pipeline whose batches are made ahead in another thread, with every dimension unknown
    (a new shape would otherwise retrace the graph and cost seconds). Elsewhere the batches themselves.

    Args:
      batches: called for each pass over the data.
      ahead: batches that wait ready-made. 0 for those that the model itself makes: which weights it has while another
        thread asks it would be left to chance. They are then made one update early.
    """
    return feed_epochs(lambda epoch: batches(), ahead=ahead)(0)


def feed_epochs(batches: Callable[[int], Iterable[tuple]], *, ahead: int = 4) -> Callable[[int], Iterable[tuple]]:
    """Makes what `fit_resumably` asks for the batches of an epoch: the same as a `feed` of each, made once for all.

    What was returned for one epoch yields the next one's batches as soon as those are asked for.

    Args:
      batches: called with the number of the epoch, from 0.
      ahead: as of `feed`.
    """
    if keras.backend.backend() != "tensorflow":
        # Of what yields one by one, Keras takes generators only.
        return lambda epoch: (batch for batch in batches(epoch))
    source = _Source(batches)
    datasets: list[Iterable[tuple]] = []

    def of_epoch(epoch: int) -> Iterable[tuple]:
        source.epoch = epoch
        if not datasets:
            datasets.append(_dataset(source, ahead))
        return datasets[0]

    return of_epoch


def _dataset(source: _Source, ahead: int) -> Iterable[tuple]:
    import tensorflow as tf

    first = next(iter(source.batches(source.epoch)))
    signature = keras.tree.map_structure(lambda x: tf.TensorSpec([None] * np.ndim(x), np.asarray(x).dtype), first)
    dataset = tf.data.Dataset.from_generator(source, output_signature=signature)
    if ahead:
        dataset = dataset.prefetch(ahead)
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False  # what tf.data does unasked
    dataset = untuned(dataset.with_options(options))
    dataset.source = source  # for `EndWithLastBatch`
    return dataset


class _Source:
    """Makes the batches of an epoch one ahead, so that whoever gets the last one can know that it is the last.

    Attributes:
      epoch: the number of the epoch.
      num_batches: number of batches, None as long as it is not known.
    """

    def __init__(self, batches: Callable[[int], Iterable[tuple]]):
        self.batches = batches
        self.epoch = 0
        self.num_batches: int | None = None

    def __call__(self) -> Iterator[tuple]:
        self.num_batches = None
        pairs = itertools.pairwise(itertools.chain(self.batches(self.epoch), [None]))
        for number, (batch, following) in enumerate(pairs, start=1):
            if following is None:
                self.num_batches = number
            yield batch  # type: ignore[misc]  # only the last `following` is None


class EndWithLastBatch(keras.callbacks.Callback):
    """Ends an epoch after the last batch of a `feed`.

    Keras would ask for one more, and under TensorFlow the update that finds none still counts a step, decays weights
    and draws a seed: all of it that does not wait for the data.

    Args:
      data: what is handed to `fit`; nothing is done for what is no `feed`.
    """

    def __init__(self, data: Any):
        super().__init__()
        self._source: _Source | None = getattr(data, "source", None)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Stops `fit` if there is nothing left."""
        if self._source is not None and self._source.num_batches == batch + 1:
            self.model.stop_training = True
