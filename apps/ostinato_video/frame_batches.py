"""Training batches of frames themselves: several videos side by side, each from its beginning to its end."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ostinato.errors import DataError
from ostinato.frames.reading import Frame
from ostinato.sequences.batches import class_weights, label_counts, label_targets
from ostinato.sequences.store import SequenceRecord
from ostinato_video.config import TrainConfig
from ostinato_video.features import squared
from ostinato_video.reading import open_video
from ostinato_video.run import Run

# (frames float32 [B, F, H, W, 3], mask bool [B, F], starts bool [B]), targets float32 [B, F + 1, L],
# weights float32 [B, F + 1]
Batch = tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray, np.ndarray]


class Window(NamedTuple):
    """Some consecutive frames of a video.

    Attributes:
      frames: float32 [F, image_size, image_size, 3], from 0 to 255.
      starts: True where they are its first.
      targets: float32 [F + 1, L], the last row that of the video so far.
      weights: float32 [F + 1].
    """

    frames: np.ndarray
    starts: bool
    targets: np.ndarray
    weights: np.ndarray


class FrameBatches:
    """Videos side by side, some frames of each in a batch, in an order that depends on seed and epoch alone.

    The row of a batch in which a video has ended begins the next one; what a network carries on from batch to batch is
    to be forgotten where `starts` says so. No more than a window of each video is in memory.

    Args:
      run: prepared; its videos are where they were.
      rows: those of its store, no variants.
      config: batch size and window of the phase fine_tune, balance, seed.

    Attributes:
      num_streams: B, videos side by side.

    Raises:
      DataError: when they are read, videos are no longer what they were.
    """

    def __init__(self, run: Run, rows: Sequence[int], config: TrainConfig):
        self.run, self.rows, self.config = run, list(rows), config
        self.num_streams = min(config.fine_tune_batch_size, len(self.rows))
        self._weights = class_weights(label_counts(run.store, rows, len(run.labels)), config.class_balance)

    def num_batches(self, epoch: int) -> int:
        """Number of batches of an epoch: the order decides on how evenly videos fill the rows."""
        filled = [0] * self.num_streams
        for row, _ in self._order(epoch):
            place = filled.index(min(filled))
            filled[place] += -(-self.run.store.records[row].num_frames // self.config.fine_tune_window)
        return max(filled)

    @property
    def num_frames(self) -> int:
        """Frames of an epoch."""
        return sum(self.run.store.records[row].num_frames for row in self.rows)

    def __call__(self, epoch: int) -> Iterator[Batch]:
        """Yields the batches of an epoch, from 0."""
        videos = self._order(epoch)
        with contextlib.ExitStack() as opened:
            streams = [opened.enter_context(contextlib.closing(self._stream(videos))) for _ in range(self.num_streams)]
            while any(windows := [next(stream, None) for stream in streams]):
                yield self._batch(windows)

    def _order(self, epoch: int) -> Iterator[tuple[int, bool]]:
        """Rows in the order of an epoch, with whether each is mirrored."""
        generator = np.random.default_rng((self.config.seed, epoch))
        order = generator.permutation(len(self.rows))
        mirrored = (generator.random(len(order)) < 0.5) & self.run.prepare_config.mirrored
        return ((self.rows[place], bool(each)) for place, each in zip(order, mirrored, strict=True))

    def _stream(self, videos: Iterator[tuple[int, bool]]) -> Generator[Window, None, None]:
        for row, mirrored in videos:  # whoever has none takes the next one
            yield from self._windows(row, mirrored)

    def _windows(self, row: int, mirrored: bool) -> Generator[Window, None, None]:
        config, image_size = self.config, self.run.prepare_config.image_size
        record, labels = self.run.store.records[row], self.run.store.truth_of(row)
        before = np.zeros(len(self.run.labels))
        with open_video(record.name, self.run.prepare_config.frame_rate) as reader:
            for start in range(0, record.num_frames, config.fine_tune_window):
                of_window = labels[start : start + config.fine_tune_window]
                frames = squared(_taken(reader, len(of_window), record), image_size)
                targets, weights = label_targets(of_window, record.label, len(before), config.frame_loss, before=before)
                weights *= targets @ self._weights  # rare labels count more
                yield Window(frames[:, :, ::-1] if mirrored else frames, start == 0, targets, weights)
                before += targets[:-1].sum(axis=0)

    def _batch(self, windows: Sequence[Window | None]) -> Batch:
        """Puts windows side by side; rows for which there is no video any more are empty, and count nothing."""
        size, length = self.run.prepare_config.image_size, self.config.fine_tune_window
        frames = np.zeros((len(windows), length, size, size, 3), np.float32)
        mask, starts = np.zeros((len(windows), length), bool), np.ones(len(windows), bool)
        targets = np.zeros((len(windows), length + 1, len(self.run.labels)), np.float32)
        weights = np.zeros((len(windows), length + 1), np.float32)
        for place, window in enumerate(windows):
            if window is not None:
                rows = [*range(len(window.frames)), length]
                frames[place, rows[:-1]], mask[place, rows[:-1]] = window.frames, True
                starts[place] = window.starts
                targets[place, rows], weights[place, rows] = window.targets, window.weights
        return (frames, mask, starts), targets, weights


def _taken(frames: Iterator[Frame], number: int, record: SequenceRecord) -> list[np.ndarray]:
    images = [frame.image for frame in itertools.islice(frames, number)]
    if len(images) < number:
        raise DataError(f"{record.name} has fewer frames than when it was prepared; put back the video that was there")
    return images
