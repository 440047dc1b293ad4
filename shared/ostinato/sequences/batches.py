"""Training batches: windows of sequences, with a target for every frame and one for the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ostinato.errors import DataError
from ostinato.sequences.blending import Blending
from ostinato.sequences.config import StreamConfig
from ostinato.sequences.joining import Joining, Window
from ostinato.sequences.store import UNLABELLED, SequenceStore

# (features float32 [B, F, D], mask bool [B, F]), targets float32 [B, F + 1, L], weights float32 [B, F + 1]
Batch = tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]
# from features float32 [F, D], labels int [F] and a generator to others, of another length where it likes
Variation = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]


class WindowBatches:
    """Windows of sequences, drawn anew each epoch in an order that depends on seed and epoch alone.

    A sequence gives as many windows as it takes to cover it, each from a place drawn at random. The last row of
    targets and weights is that of the window as a whole: the label of its sequence, or, where frames have labels of
    their own, what share of the window each label has.

    Args:
      store: the sequences.
      rows: which of them.
      num_labels: number of labels L.
      config: window, batch size, balance, seed.
      vary: changes a window's features and frame labels at random; None leaves them.
      joining: makes streams of some of the clips, whose frames are learnt, not a label of the whole; None leaves them.
      blending: blends some of the clips with others of their label; None leaves them.

    Attributes:
      weights: float32 [L], how much a frame of each label counts.

    Raises:
      DataError: nothing is labelled.
    """

    def __init__(
        self,
        store: SequenceStore,
        rows: Sequence[int],
        num_labels: int,
        config: StreamConfig,
        vary: Variation | None = None,
        joining: Joining | None = None,
        blending: Blending | None = None,
    ):
        self.store, self.config, self.vary, self.joining, self.blending = store, config, vary, joining, blending
        self.num_labels = num_labels
        self._windows = np.concatenate(
            [[row] * -(-store.records[row].num_frames // config.window) for row in rows] or [[]]
        ).astype(np.int64)
        self._clips = clips_by_label(store, rows)
        self._windows = np.tile(self._windows, -(-config.least_windows // max(len(self._windows), 1)) or 1)
        counts = label_counts(store, rows, num_labels)
        if not counts.any():
            raise DataError(f"none of the {len(rows)} sequences to train on has a label; label some frames or clips")
        if joining is not None:  # what is made counts like any other label
            counts[joining.background] = max(counts[joining.background], round(counts[counts > 0].mean()))
        self.weights = class_weights(counts, config.class_balance)

    def num_batches(self) -> int:
        """Number of batches of an epoch."""
        return -(-len(self._windows) // self.config.batch_size)

    @property
    def num_frames(self) -> int:
        """Frames of an epoch, or a few less."""
        return sum(min(self.config.window, self.store.records[row].num_frames) for row in self._windows)

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """Yields the batches of an epoch, from 0."""
        generator = np.random.default_rng((self.config.seed, epoch))
        order = self._windows[generator.permutation(len(self._windows))]
        for start in range(0, len(order), self.config.batch_size):
            yield self._batch(order[start : start + self.config.batch_size], generator)

    def _batch(self, rows: np.ndarray, generator: np.random.Generator) -> Batch:
        windows, is_joined = [], []
        for row in rows:
            is_joined.append(self.joining is not None and generator.random() < self.joining.share)
            windows.append(self._stream(row, generator) if is_joined[-1] else self._window(row, generator))
        length = max(len(labels) for _, labels in windows)
        features = np.zeros((len(rows), length, self.store.feature_size), np.float32)
        mask = np.zeros((len(rows), length), bool)
        targets = np.zeros((len(rows), length + 1, self.num_labels), np.float32)
        weights = np.zeros((len(rows), length + 1), np.float32)
        for place, (row, (window, labels)) in enumerate(zip(rows, windows, strict=True)):
            frames = len(labels)
            features[place, :frames], mask[place, :frames] = window, True
            label = UNLABELLED if is_joined[place] else self.store.records[row].label
            rows_of_window = [*range(frames), length]
            targets[place, rows_of_window], weights[place, rows_of_window] = label_targets(
                labels, label, self.num_labels, self.config.frame_loss
            )
            if is_joined[place]:
                weights[place, -1] = 0
        weights *= targets @ self.weights  # rare labels count more
        return (features, mask), targets, weights

    def _stream(self, row: int, generator: np.random.Generator) -> Window:
        """A window of a sequence and others behind it, until there are as many frames as a window may have."""
        assert self.joining is not None
        windows = [self._window(row, generator)]
        while sum(len(labels) for _, labels in windows) < self.config.window:
            windows.append(self._window(int(generator.choice(self._windows)), generator))
        return self.joining(windows, self.config.window, generator)

    def _window(self, row: int, generator: np.random.Generator) -> Window:
        window = self._varied(row, generator)
        others = self._clips.get(self.store.records[row].label, [])
        if self.blending is None or not others or generator.random() >= self.blending.share:
            return window
        return self.blending(window, self._varied(others[int(generator.integers(len(others)))], generator), generator)

    def _varied(self, row: int, generator: np.random.Generator) -> Window:
        record = self.store.records[row]
        start = int(generator.integers(0, max(record.num_frames - self.config.window, 0), endpoint=True))
        frames = slice(start, start + self.config.window)
        features = self.store.features_of(row)[frames].astype(np.float32)
        labels = self.store.truth_of(row)[frames]
        return (features, labels) if self.vary is None else self.vary(features, labels, generator)


def label_targets(
    labels: np.ndarray, label: int, num_labels: int, frame_loss: float, before: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a window is to be labelled as, and how much each of its rows counts, whatever its label.

    Args:
      labels: int [F], of its frames, `UNLABELLED` where nobody said.
      label: of the whole; if `UNLABELLED`, the whole is to have each label by its share of the labelled frames.
      num_labels: number of labels L.
      frame_loss: share of the loss that counts frame by frame.
      before: [L], labelled frames before the window that the whole covers too.

    Returns:
      targets float32 [F + 1, L] and weights float32 [F + 1]; the last row is that of the whole.
    """
    targets, weights = np.zeros((len(labels) + 1, num_labels), np.float32), np.zeros(len(labels) + 1, np.float32)
    known = np.flatnonzero(labels != UNLABELLED)
    targets[known, labels[known]] = 1
    weights[known] = frame_loss / max(len(known), 1)
    if label != UNLABELLED:
        targets[-1, label] = 1
    else:
        counts = targets.sum(axis=0) + (0 if before is None else before)
        targets[-1] = counts / max(counts.sum(), 1)
    weights[-1] = (1 - frame_loss) * float(targets[-1].any())
    return targets, weights


def label_counts(store: SequenceStore, rows: Sequence[int], num_labels: int) -> np.ndarray:
    """Counts the frames of each label, int64 [L]; frames of a clip have its label if they have none of their own."""
    counts = np.zeros(num_labels, np.int64)
    for row in rows:
        labels = store.truth_of(row)
        counts += np.bincount(labels[labels != UNLABELLED], minlength=num_labels)
    return counts


def clips_by_label(store: SequenceStore, rows: Sequence[int]) -> dict[int, list[int]]:
    """Returns which of these sequences have each label of the whole."""
    clips: dict[int, list[int]] = {}
    for row in rows:
        if store.records[row].label != UNLABELLED:
            clips.setdefault(store.records[row].label, []).append(row)
    return clips


def class_weights(counts: np.ndarray, balance: float) -> np.ndarray:
    """Returns the weight of each label, float32 [L]: (mean count / count) ** balance, 0 for labels that never occur."""
    there = counts > 0
    weights = np.zeros(len(counts), np.float32)
    if there.any():
        weights[there] = (counts[there].mean() / counts[there]) ** balance
    return weights
