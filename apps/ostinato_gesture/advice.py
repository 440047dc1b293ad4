"""What a network confuses, and what had better be recorded more of, in sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ostinato.metrics import Confusion, worst_confusions
from ostinato.sequences.outputs import StreamOutput, StreamTruth, has_clip_labels
from ostinato.sequences.scoring import stream_confusion
from ostinato.sequences.store import UNLABELLED

_FEW = 5  # clips of a label
_GOOD_RECALL = 0.8
_MOST_NAMED = 5  # labels


@dataclasses.dataclass(frozen=True)
class Advice:
    """What can be said of clips that a network was not trained on."""

    num_right: int
    num_examples: int
    """clips, or frames where only these have labels"""
    unit: str
    """`clips` or `frames`"""
    confusions: tuple[Confusion, ...]
    """most frequent first"""
    record_more: tuple[str, ...]
    """labels that are often missed or have few clips, worst first"""
    none: str | None
    """the label of what is no gesture, if no data show it; otherwise None"""

    def lines(self) -> list[str]:
        """Returns one sentence a line."""
        share = 100 * self.num_right / self.num_examples
        lines = [f"of {self.num_examples} {self.unit} that it was not trained on, {share:.1f} % are right"]
        lines += [
            f"{each.true_label} is taken for {each.predicted_label} in {each.count} {self.unit} ({each.share:.0f} %)"
            for each in self.confusions
        ]
        if self.record_more:
            lines.append(f"record more of: {', '.join(self.record_more)}")
        if self.none is not None:
            lines.append(
                f"no data show what is no gesture; for use with a camera record some {self.none}: hands at rest, on "
                "their way, busy with other things"
            )
        return lines


def advise(
    outputs: Sequence[StreamOutput],
    truths: Sequence[StreamTruth],
    everything: Sequence[StreamTruth],
    labels: Sequence[str],
    none: str | None,
) -> Advice:
    """Says what is confused.

    Args:
      outputs: of sequences that were held out.
      truths: what is true of them.
      everything: what is true of all sequences that there are.
      labels: names of all labels, in order.
      none: the label of what is no gesture.

    Raises:
      DataError: nothing held out is labelled.
    """
    matrix = stream_confusion(outputs, truths)
    num_true = matrix.sum(axis=1)
    recalls = matrix.diagonal() / np.maximum(num_true, 1)
    num_clips = np.bincount([each.label for each in everything if each.label != UNLABELLED], minlength=len(labels))
    has_clips = has_clip_labels(truths)
    wanting = [
        (recalls[number], num_clips[number], label)
        for number, label in enumerate(labels)
        if label != none
        and num_true[number]
        and (recalls[number] < _GOOD_RECALL or (has_clips and num_clips[number] < _FEW))
    ]
    shown = any(none is not None and np.any(each.frame_labels == labels.index(none)) for each in everything)
    shown = shown or (none is not None and num_clips[labels.index(none)] > 0)
    return Advice(
        num_right=int(matrix.diagonal().sum()),
        num_examples=int(matrix.sum()),
        unit="clips" if has_clips else "frames",
        confusions=worst_confusions(matrix, labels),
        record_more=tuple(label for *_, label in sorted(wanting)[:_MOST_NAMED]),
        none=None if shown or none is None else none,
    )
