"""Scores what a model says of videos against what people said of them, and cross-validates the settings of a run."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ostinato.errors import DataError, InputError
from ostinato.frames.labelled import VideoExample, frame_numbers
from ostinato.sequences import evaluation
from ostinato.sequences.evaluation import Evaluation, check_known, sequence_record
from ostinato.sequences.outputs import StreamOutput, StreamTruth
from ostinato.sequences.scoring import ScoringOptions, score_streams, stream_confusion
from ostinato.sequences.store import BACKGROUND, UNLABELLED
from ostinato_video.config import TimelineConfig

if TYPE_CHECKING:
    from ostinato_video.run import Run
    from ostinato_video.video_classifier import VideoClassifier


def evaluate(
    classifier: VideoClassifier,
    examples: Sequence[VideoExample],
    timeline: TimelineConfig,
    *,
    on_error: Callable[[InputError], None] = lambda error: None,
    on_video: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Scores a model on labelled videos.

    Args:
      classifier: the model.
      examples: labelled videos.
      timeline: how frames become segments.
      on_error: told of each video that cannot be read; it does not count.
      on_video: called after each video.

    Raises:
      DataError: the data have a label that the model does not know, or no video can be read.
    """
    labels = classifier.labels
    known = {segment.label for example in examples for segment in example.segments}
    known |= {example.label for example in examples if example.label is not None}
    check_known(known, labels)
    outputs, truths, records = [], [], []
    results = classifier.classify_each([example.video for example in examples], timeline)
    for example, (_, result) in zip(examples, results, strict=True):
        on_video()
        if isinstance(result, InputError):
            on_error(result)
            continue
        if result.damage:
            on_error(InputError(result.damage))
        outputs.append(StreamOutput.of_scores(result.frame_scores, result.scores))
        truths.append(_truth(example, result.times, result.frame_numbers, labels))
        records.append(
            sequence_record(
                example.video,
                example.group,
                labels[int(np.argmax(result.scores))],
                result.confidence,
                true_label=example.label,
                segments=[dataclasses.asdict(segment) for segment in result.segments],
                true_segments=[dataclasses.asdict(segment) for segment in example.segments],
            )
        )
    if not outputs:
        raise DataError(f"none of the {len(examples)} videos can be read; check the folder of videos")
    options = scoring_options(timeline, classifier.frame_rate, labels)
    return Evaluation(score_streams(outputs, truths, options), labels, stream_confusion(outputs, truths), records)


def cross_validate_run(
    run: Run,
    timeline: TimelineConfig,
    *,
    num_folds: int = 0,
    hold_out: str = "",
    group_by: str = "group",
    on_fold: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Trains the settings of a run anew on parts of its videos, and scores the others.

    Args:
      run: prepared.
      timeline: how frames become segments.
      num_folds: number of folds; 0 leaves out one group at a time.
      hold_out: names of groups, with commas between, to hold out instead, once.
      group_by: columns of the data, by commas, that name other groups than those the run was prepared with.
      on_fold: called after each fold.

    Raises:
      DataError: there are too few groups, or none of such a name, or no such column.
    """
    options = scoring_options(timeline, run.prepare_config.frame_rate, run.labels)
    found, _ = evaluation.cross_validate_run(
        run,
        options,
        num_folds=num_folds,
        hold_out=hold_out,
        group_by=group_by,
        on_fold=on_fold,
        learn=_learning(run),
    )
    return found


def _learning(run: Run) -> Callable[..., list[StreamOutput]]:
    """Returns what trains a network of a fold and reads what is held out: of a run that fine-tunes, in both phases."""
    from ostinato.sequences.training import train_and_read

    if not run.train_config.fine_tunes:
        return train_and_read
    from ostinato_video.fine_tuning import fine_tune_and_read

    return functools.partial(fine_tune_and_read, run)


def scoring_options(timeline: TimelineConfig, frame_rate: float, labels: Sequence[str]) -> ScoringOptions:
    """Returns how frames become segments where a timeline is made with these settings."""
    return ScoringOptions(
        background=labels.index(BACKGROUND) if BACKGROUND in labels else None,
        switch_cost=timeline.switch_cost,
        min_frames=max(1, round(timeline.min_seconds * frame_rate)),
    )


def _truth(example: VideoExample, times: np.ndarray, numbers: np.ndarray, labels: Sequence[str]) -> StreamTruth:
    if example.label is not None:
        return StreamTruth(np.full(len(times), UNLABELLED), labels.index(example.label), example.group)
    return StreamTruth(
        frame_numbers(example, times, numbers, labels, background=BACKGROUND).astype(np.int64),
        UNLABELLED,
        example.group,
    )
