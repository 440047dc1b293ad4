"""Whole sequences to scores, a bounded batch at a time."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from ostinato.compiling import compiled
from ostinato.layers import SequenceClassifier
from ostinato.sequences.outputs import StreamOutput
from ostinato.sequences.store import SequenceStore

_FRAMES_AT_ONCE = 4096  # of all sequences side by side, padding included


class StreamReader:
    """Says what a classifier says of whole sequences.

    Sequences of similar length are read side by side; a recording of hours is read in pieces that carry the state on,
    so that neither its length nor the number of sequences decides on how much memory is needed.

    Args:
      classifier: built; it reads with the weights that it has when `read` is called.
      feature_size: D of the sequences.
      frames_at_once: greatest number of frames in the network at once, those of sequences side by side added up.
    """

    def __init__(self, classifier: SequenceClassifier, feature_size: int, *, frames_at_once: int = _FRAMES_AT_ONCE):
        self._classifier, self._frames_at_once = classifier, frames_at_once
        sequences = keras.KerasTensor((None, None, feature_size))
        state = {
            name: keras.KerasTensor((None, *shape), dtype) for name, (shape, dtype) in classifier.state_spec().items()
        }
        self._steps = compiled(classifier.steps, [sequences, state])  # one graph for any number of sequences and frames

    def read(self, store: SequenceStore, rows: Sequence[int]) -> list[StreamOutput]:
        """Returns what is said of each of these sequences, in their order."""
        outputs: dict[int, StreamOutput] = {}
        by_length = sorted(set(rows), key=lambda row: store.records[row].num_frames)
        while by_length:
            longest = store.records[by_length[-1]].num_frames
            side_by_side = max(1, self._frames_at_once // longest)
            batch = [by_length.pop() for _ in range(min(len(by_length), side_by_side))]
            outputs.update(zip(batch, self._read_batch(store, batch, longest), strict=True))
        return [outputs[row] for row in rows]

    def _read_batch(self, store: SequenceStore, rows: Sequence[int], length: int) -> list[StreamOutput]:
        state = self._classifier.initial_state(len(rows))
        ends = [store.records[row].num_frames for row in rows]
        frame_logits, clip_logits = [], []
        for start in range(0, length, self._frames_at_once):
            features = self._piece(store, rows, start, min(start + self._frames_at_once, length))
            scores, state = self._steps(ops.convert_to_tensor(features), state)
            frame_logits.append(ops.convert_to_numpy(scores.frame_logits))
            # The row where each sequence ends; only the piece in which that is counts.
            last = [min(max(end - 1 - start, 0), features.shape[1] - 1) for end in ends]
            clip_logits.append(ops.convert_to_numpy(scores.clip_logits)[np.arange(len(rows)), last])  # -> [B, L]
        frames = np.concatenate(frame_logits, axis=1)
        # Nothing looks ahead, so what is said of a clip at its end is what it would be without the padding behind it.
        return [
            StreamOutput(frames[place, :end], clip_logits[(end - 1) // self._frames_at_once][place])
            for place, end in enumerate(ends)
        ]

    def _piece(self, store: SequenceStore, rows: Sequence[int], start: int, end: int) -> np.ndarray:
        """Frames from `start` to `end` of each sequence, float32 [B, end - start, D], zeros behind its own end."""
        features = np.zeros((len(rows), end - start, store.feature_size), np.float32)
        for place, row in enumerate(rows):
            piece = store.features_of(row)[start:end]
            features[place, : len(piece)] = piece
        return features


def read_streams(classifier: SequenceClassifier, store: SequenceStore, rows: Sequence[int]) -> list[StreamOutput]:
    """Returns what a classifier says of whole sequences, in their order; see `StreamReader`."""
    return StreamReader(classifier, store.feature_size).read(store, rows)
