"""Scores of labelled streams: frame by frame and as segments, or clip by clip, whatever the data have labels for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from ostinato.errors import DataError
from ostinato.metrics import (
    confusion_matrix,
    frame_scores,
    score_calibration,
    score_clips,
    score_segments,
    tempered_softmax,
)
from ostinato.sequences.outputs import (
    StreamOutput,
    StreamTruth,
    check_same_size,
    has_clip_labels,
    has_frame_labels,
    labelled_clips,
    labelled_frames,
    labelled_logits,
)
from ostinato.sequences.store import UNLABELLED
from ostinato.sequences.timeline import smooth_labels

Scores = dict[str, Any]  # numbers, texts, and lists of two numbers, as JSON has them

_LEAST_PROBABILITY = 1e-12


@dataclasses.dataclass(frozen=True)
class ScoringOptions:
    """How frames become segments, and which label says that nothing happens."""

    background: int | None = None
    """number of that label; None where there is none"""
    switch_cost: float = 4.0
    """of `smooth_labels`, nats"""
    min_frames: int = 1
    """of `smooth_labels`"""


def score_streams(
    outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth], options: ScoringOptions | None = None
) -> Scores:
    """Scores what a network says of sequences by what is true of them; all scores on the scale 0 to 100.

    Of frames with labels of their own:

    - `frame_accuracy`, `macro_f1`: over the frames in which something happens, not over the background;
    - `frame_accuracy_all`, `macro_f1_all`: over all labelled frames, the background a label as any other;
    - `segment_f1_10`, `_25`, `_50`, `edit_score`: of the smoothed labels, the background being no segment;
    - `ece` of all labelled frames.

    Of clips with one label: `clip_accuracy`, `clip_accuracy_interval` (from drawing groups), `macro_f1`, `ece`. Where
    there are both, what both are called is the clips', and that of the frames begins with `frame_`.

    Args:
      outputs: of each sequence.
      truths: of each sequence.
      options: how segments are made.

    Returns:
      the scores with the numbers of examples (`num_frames`, `num_clips`) and a `signature`. What cannot be told is left
      out: `frame_accuracy` and `macro_f1` where all labelled frames are background.

    Raises:
      DataError: nothing is labelled, or different numbers of sequences, frames or labels.
    """
    check_same_size(outputs, truths)
    frames = _frame_scores(outputs, truths, options or ScoringOptions()) if has_frame_labels(truths) else {}
    clips = _clip_scores(outputs, truths) if has_clip_labels(truths) else {}
    if not frames and not clips:
        raise DataError(f"none of the {len(truths)} sequences to score has a label; label some frames or clips")
    signature = " ".join(part.pop("signature") for part in (frames, clips) if part)
    frames = {f"frame_{name}" if name in clips else name: value for name, value in frames.items()}
    return {**frames, **clips, "signature": signature}


def stream_confusion(outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth]) -> np.ndarray:
    """Counts which label is taken for which, int64 [L, L]: of clips where these have labels, or of labelled frames.

    Raises:
      DataError: nothing is labelled, or different numbers of sequences or frames.
    """
    logits, true = labelled_logits(outputs, truths)
    return confusion_matrix(logits.argmax(axis=1), true, num_labels=logits.shape[1])


def _frame_scores(outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth], options: ScoringOptions) -> Scores:
    logits, true = labelled_frames(outputs, truths)
    predicted = logits.argmax(axis=1)
    all_frames = frame_scores(confusion_matrix(predicted, true, num_labels=logits.shape[1]))
    calibration = score_calibration(tempered_softmax(logits).max(axis=1), predicted == true)
    labelled = [(output, truth) for output, truth in zip(outputs, truths, strict=True) if has_frame_labels([truth])]
    segments = score_segments(
        [_smoothed(output, options) for output, _ in labelled],
        [truth.frame_labels for _, truth in labelled],
        [truth.frame_labels != UNLABELLED for _, truth in labelled],
        background=options.background,
    )
    smoothing = f"smoothed:viterbi,switch-cost:{options.switch_cost:g},min-frames:{options.min_frames}"
    return {
        **_scores_without_background(predicted, true, logits.shape[1], options.background),
        "frame_accuracy_all": all_frames.frame_accuracy,
        "macro_f1_all": all_frames.macro_f1,
        "segment_f1_10": segments.segment_f1_10,
        "segment_f1_25": segments.segment_f1_25,
        "segment_f1_50": segments.segment_f1_50,
        "edit_score": segments.edit_score,
        "ece": calibration.ece,
        "num_frames": len(true),
        "signature": f"{all_frames.signature} {segments.signature}|{smoothing} {calibration.signature}",
    }


def _scores_without_background(
    predicted: np.ndarray, true: np.ndarray, num_labels: int, background: int | None
) -> Scores:
    kept = np.ones(len(true), bool) if background is None else true != background
    if not kept.any():
        return {}
    matrix = confusion_matrix(predicted, true, kept, num_labels=num_labels)
    counts = matrix.sum(axis=1) + matrix.sum(axis=0)  # of each label, 2 TP + FP + FN
    matters = counts > 0
    if background is not None:
        matters[background] = False  # where it is never true, its F1 would only be a 0 in the mean
    return {
        "frame_accuracy": frame_scores(matrix).frame_accuracy,
        "macro_f1": float(np.mean(200.0 * matrix.diagonal()[matters] / counts[matters])),
    }


def _smoothed(output: StreamOutput, options: ScoringOptions) -> np.ndarray:
    log_probs = np.log(np.maximum(tempered_softmax(output.frame_logits), _LEAST_PROBABILITY))
    return smooth_labels(log_probs, switch_cost=options.switch_cost, min_frames=options.min_frames)


def _clip_scores(outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth]) -> Scores:
    logits, true = labelled_clips(outputs, truths)
    predicted = logits.argmax(axis=1)
    clips = score_clips(predicted, true, [truth.group for truth in truths if truth.label != UNLABELLED])
    labels = frame_scores(confusion_matrix(predicted, true, num_labels=logits.shape[1]))
    calibration = score_calibration(tempered_softmax(logits).max(axis=1), predicted == true)
    accuracy = clips.to_dict("clip_accuracy")
    return {
        "clip_accuracy": accuracy["clip_accuracy"],
        "clip_accuracy_interval": accuracy["clip_accuracy_interval"],
        "macro_f1": labels.macro_f1,
        "ece": calibration.ece,
        "num_clips": len(true),
        "signature": f"{clips.signature} {labels.signature.replace('frames:', 'clips:')} {calibration.signature}",
    }
