"""Scores what a model says of videos against what people said of them, and cross-validates the settings of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ostinato.commands import as_table
from ostinato.errors import DataError, InputError
from ostinato.metrics import class_table, confusion_table, score_classes
from ostinato.sequences.cross_validation import CROSS_VALIDATION, CrossValidation, cross_validate
from ostinato.sequences.folds import Fold, group_folds, hold_out_groups, leave_one_group_out
from ostinato.sequences.outputs import StreamOutput, StreamTruth, truths_of
from ostinato.sequences.scoring import ScoringOptions, score_streams, stream_confusion
from ostinato.sequences.store import BACKGROUND, UNLABELLED
from ostinato_video.config import TimelineConfig, TrainConfig
from ostinato_video.examples import VideoExample
from ostinato_video.labelling import frame_numbers

if TYPE_CHECKING:
    from ostinato_video.run import Run
    from ostinato_video.video_classifier import VideoClassifier

_LEAST_SCORE = 1e-12


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How well videos are labelled."""

    scores: dict[str, Any]
    """by name on the scale 0 to 100; of a cross-validation also those of each fold and of what it is compared with"""
    labels: tuple[str, ...]
    """in the order of the confusion matrix"""
    confusion: np.ndarray
    """int64 [L, L]: which label is taken for which, of clips, or of frames where these have labels"""
    videos: list[dict[str, Any]]
    """of each video what was found and what is true"""

    def as_text(self) -> str:
        """Returns tables: the scores, those of each label, and what is taken for what."""
        main = self.scores.get("scores", self.scores)
        tables = [as_table({name: value for name, value in main.items() if not isinstance(value, dict | list)})]
        for name in ("majority", "without_recurrence"):
            if self.scores.get(name):
                tables.append(f"{name.replace('_', ' ')}:\n{as_table(_numbers(self.scores[name]))}")
        tables.append(class_table(score_classes(self.confusion, self.labels)))
        tables.append(confusion_table(self.confusion, self.labels))
        return "\n\n".join(tables)

    def save_confusion(self, path: Path) -> None:
        """Draws the confusion matrix as a PNG."""
        from ostinato.metrics.confusion_picture import confusion_picture

        path.parent.mkdir(parents=True, exist_ok=True)
        confusion_picture(self.confusion, self.labels).save(path, "PNG")


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
    if unknown := sorted(known - set(labels)):
        raise DataError(
            f"the data have labels that the model does not know: {', '.join(unknown[:5])}; name another model"
        )
    outputs, truths, videos = [], [], []
    results = classifier.classify_each([example.video for example in examples], timeline)
    for example, (_, result) in zip(examples, results, strict=True):
        on_video()
        if isinstance(result, InputError):
            on_error(result)
            continue
        if result.damage:
            on_error(InputError(result.damage))
        outputs.append(
            StreamOutput(
                np.log(np.maximum(result.frame_scores, _LEAST_SCORE)), np.log(np.maximum(result.scores, _LEAST_SCORE))
            )
        )
        truths.append(_truth(example, result.times, result.frame_numbers, labels))
        videos.append(
            {
                "video": example.video,
                "label": labels[int(np.argmax(result.scores))],
                "confidence": round(result.confidence, 4),
                "true_label": example.label,
                "segments": [dataclasses.asdict(segment) for segment in result.segments],
                "true_segments": [dataclasses.asdict(segment) for segment in example.segments],
            }
        )
    if not outputs:
        raise DataError(f"none of the {len(examples)} videos can be read; check the folder of videos")
    options = _options(timeline, classifier.frame_rate, labels)
    return Evaluation(score_streams(outputs, truths, options), labels, stream_confusion(outputs, truths), videos)


def cross_validate_run(
    run: Run,
    timeline: TimelineConfig,
    *,
    num_folds: int = 0,
    hold_out: str = "",
    on_fold: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Trains the settings of a run anew on parts of its videos, and scores the others.

    A cross-validation in which each group is held out once is kept in the run directory, with the temperature that it
    fitted.

    Args:
      run: prepared; its `train.toml` has the settings, or the defaults are taken.
      timeline: how frames become segments.
      num_folds: number of folds; 0 leaves out one group at a time.
      hold_out: names of groups, with commas between, to hold out instead, once.
      on_fold: called after each fold.

    Raises:
      DataError: there are too few groups, or none of such a name.
    """
    from ostinato.config import read_config

    store = run.store
    config = read_config(run.config_path, TrainConfig) if run.config_path.exists() else TrainConfig()
    rows = store.rows("all")
    folds = _folds([store.records[row].group for row in rows], num_folds, hold_out)
    options = _options(timeline, run.prepare_config.frame_rate, run.labels)
    result: CrossValidation = cross_validate(
        store, run.labels, config, folds, rows, options=options, on_fold=lambda fold, scores: on_fold()
    )
    if not hold_out:
        result.write(run.folder / CROSS_VALIDATION)
    held_out = sorted(result.outputs)
    outputs, truths = [result.outputs[row] for row in held_out], truths_of(store, held_out)
    videos = [
        {
            "video": store.records[row].name,
            "group": store.records[row].group,
            "label": run.labels[int(np.argmax(output.clip_logits))],
            "true_label": run.labels[truth.label] if truth.label != UNLABELLED else None,
        }
        for row, output, truth in zip(held_out, outputs, truths, strict=True)
    ]
    return Evaluation(result.to_dict(), run.labels, stream_confusion(outputs, truths), videos)


def _folds(groups: Sequence[str], num_folds: int, hold_out: str) -> list[Fold]:
    if hold_out:
        held_out = {group.strip() for group in hold_out.split(",")}
        if unknown := sorted(held_out - set(groups)):
            known = ", ".join(sorted(set(groups)))
            raise DataError(f"--hold-out: there is no group {unknown[0]!r}; the groups are {known}")
        return [hold_out_groups(groups, held_out, name=hold_out)]
    return group_folds(groups, num_folds) if num_folds else leave_one_group_out(groups)


def _truth(example: VideoExample, times: np.ndarray, numbers: np.ndarray, labels: Sequence[str]) -> StreamTruth:
    if example.label is not None:
        return StreamTruth(np.full(len(times), UNLABELLED), labels.index(example.label), example.group)
    return StreamTruth(frame_numbers(example, times, numbers, labels).astype(np.int64), UNLABELLED, example.group)


def _options(timeline: TimelineConfig, frame_rate: float, labels: Sequence[str]) -> ScoringOptions:
    return ScoringOptions(
        background=labels.index(BACKGROUND) if BACKGROUND in labels else None,
        switch_cost=timeline.switch_cost,
        min_frames=max(1, round(timeline.min_seconds * frame_rate)),
    )


def _numbers(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scores.items() if isinstance(value, int | float)}
