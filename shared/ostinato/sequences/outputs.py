"""What a network says of a sequence, and what is true of it: arrays, without Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ostinato.errors import DataError
from ostinato.sequences.store import UNLABELLED, SequenceStore

_LEAST_SCORE = 1e-12  # of what a model calls impossible


class StreamOutput(NamedTuple):
    """What a network says of one sequence; logarithms of probabilities will do as well as logits.

    Attributes:
      frame_logits: float32 [F, L].
      clip_logits: float32 [L], of the whole.
    """

    frame_logits: np.ndarray
    clip_logits: np.ndarray

    @classmethod
    def of_scores(cls, frame_scores: np.ndarray, scores: np.ndarray) -> StreamOutput:
        """Returns it from probabilities of frames [F, L] and of the whole [L]."""
        return cls(*(np.log(np.maximum(each, _LEAST_SCORE)) for each in (frame_scores, scores)))

    def tempered(self, temperature: float) -> StreamOutput:
        """Returns it as sure as a temperature makes it; the labels chosen stay the same."""
        return StreamOutput(self.frame_logits / temperature, self.clip_logits / temperature)


class StreamTruth(NamedTuple):
    """What is true of one sequence.

    Attributes:
      frame_labels: int [F], `UNLABELLED` where nobody said.
      label: of the whole, or `UNLABELLED`.
      group: the person, day or source that it comes from.
    """

    frame_labels: np.ndarray
    label: int
    group: str


def truths_of(store: SequenceStore, rows: Sequence[int]) -> list[StreamTruth]:
    """Returns what a store knows of each of these sequences."""
    return [
        StreamTruth(store.labels_of(row).astype(np.int64), store.records[row].label, store.records[row].group)
        for row in rows
    ]


def has_clip_labels(truths: Sequence[StreamTruth]) -> bool:
    """Tells whether any sequence has a label of the whole."""
    return any(truth.label != UNLABELLED for truth in truths)


def has_frame_labels(truths: Sequence[StreamTruth]) -> bool:
    """Tells whether any frame has a label of its own."""
    return any(bool(np.any(truth.frame_labels != UNLABELLED)) for truth in truths)


def labelled_logits(outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth]) -> tuple[np.ndarray, np.ndarray]:
    """Returns logits [N, L] and labels int [N] of the clips that have labels, or of all labelled frames.

    Raises:
      DataError: nothing is labelled, or different numbers of sequences or frames.
    """
    check_same_size(outputs, truths)
    if has_clip_labels(truths):
        return labelled_clips(outputs, truths)
    if has_frame_labels(truths):
        return labelled_frames(outputs, truths)
    raise DataError(f"none of the {len(truths)} sequences has a label; label some frames or clips")


def check_same_size(outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth]) -> None:
    """Raises DataError unless there is one output for each truth, of as many frames."""
    if len(outputs) != len(truths):
        raise DataError(f"there are outputs for {len(outputs)} sequences of {len(truths)}; give one for each")
    for number, (output, truth) in enumerate(zip(outputs, truths, strict=True), start=1):
        if len(output.frame_logits) != len(truth.frame_labels):
            raise DataError(
                f"sequence {number} has {len(truth.frame_labels)} frames, but outputs for {len(output.frame_logits)}; "
                "give one for each"
            )


def labelled_frames(outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth]) -> tuple[np.ndarray, np.ndarray]:
    """Returns logits [N, L] and labels int [N] of all labelled frames."""
    kept = [truth.frame_labels != UNLABELLED for truth in truths]
    logits = [output.frame_logits[mask] for output, mask in zip(outputs, kept, strict=True)]
    return np.concatenate(logits), np.concatenate([t.frame_labels[mask] for t, mask in zip(truths, kept, strict=True)])


def labelled_clips(outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth]) -> tuple[np.ndarray, np.ndarray]:
    """Returns logits [N, L] and labels int [N] of the clips that have one."""
    pairs = [(output, truth) for output, truth in zip(outputs, truths, strict=True) if truth.label != UNLABELLED]
    return np.stack([output.clip_logits for output, _ in pairs]), np.array([truth.label for _, truth in pairs])
