"""What the most frequent label alone would reach: the score that a network has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ostinato.sequences.outputs import StreamOutput, StreamTruth
from ostinato.sequences.scoring import Scores, ScoringOptions, score_streams
from ostinato.sequences.store import UNLABELLED


def majority_outputs(
    train: Sequence[StreamTruth], held_out: Sequence[StreamTruth], num_labels: int, *, but: int | None = None
) -> list[StreamOutput]:
    """Returns, for each held-out sequence, how frequent each label is in training: of frames, and of clips.

    Args:
      train: what is true of the sequences of training.
      held_out: what is true of those to predict; only the number of their frames is looked at.
      num_labels: L.
      but: a label that is not chosen, such as the background.
    """
    frames = _log_frequencies([truth.frame_labels for truth in train], num_labels, but)
    clips = _log_frequencies([np.array([truth.label for truth in train])], num_labels, but)
    # A view of one row: hours of it take no memory.
    return [StreamOutput(np.broadcast_to(frames, (len(truth.frame_labels), num_labels)), clips) for truth in held_out]


def score_majority(
    folds: Sequence[tuple[Sequence[StreamTruth], Sequence[StreamTruth]]], num_labels: int, options: ScoringOptions
) -> Scores:
    """Scores the most frequent label of training on what is held out, over all folds together.

    `frame_accuracy` and `macro_f1` of frames are those of the most frequent label besides the background; the rest
    takes the background for a label as any other.

    Args:
      folds: what is true of the sequences of training, and of those held out, in each.
      num_labels: L.
      options: as of `score_streams`.

    Raises:
      DataError: nothing is labelled.
    """

    def scores(but: int | None) -> Scores:
        outputs = [output for train, held in folds for output in majority_outputs(train, held, num_labels, but=but)]
        return score_streams(outputs, [truth for _, held in folds for truth in held], options)

    found = scores(None)
    if options.background is None or "frame_accuracy" not in found:
        return found
    besides = scores(options.background)
    # Where clips have labels too, `macro_f1` is theirs.
    name = "frame_macro_f1" if "frame_macro_f1" in found else "macro_f1"
    return found | {each: besides[each] for each in ("frame_accuracy", name)}


def _log_frequencies(labels: Sequence[np.ndarray], num_labels: int, but: int | None) -> np.ndarray:
    """Logarithms of frequencies, float [L]; each label is counted once more than it occurs: none is infinite."""
    counts = np.ones(num_labels)
    for each in labels:
        counts += np.bincount(each[each != UNLABELLED], minlength=num_labels)
    if but is not None:
        counts[but] = 0.5  # less than what never occurs
    return np.log(counts / counts.sum())
