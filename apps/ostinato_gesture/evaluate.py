"""Scores what a model says of clips and long recordings, and cross-validates the settings of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ostinato.errors import DataError, InputError
from ostinato.frames.labelled import VideoExample
from ostinato.metrics import score_events, tempered_softmax
from ostinato.sequences import evaluation
from ostinato.sequences.evaluation import Evaluation, check_known, sequence_record
from ostinato.sequences.outputs import StreamOutput, StreamTruth, truths_of
from ostinato.sequences.scoring import Scores, ScoringOptions, score_streams, stream_confusion
from ostinato.sequences.store import UNLABELLED
from ostinato_gesture.config import EventConfig
from ostinato_gesture.data import FeatureSequence, GestureData
from ostinato_gesture.event_scores import score_clip_events, starts_of, true_events
from ostinato_gesture.events import spot_events
from ostinato_gesture.model import LANDMARKS, network_options
from ostinato_gesture.results import Event, GestureResult
from ostinato_gesture.train import make_joining, scoring_options
from ostinato_gesture.variation import make_blending, make_variation

if TYPE_CHECKING:
    from ostinato_gesture.gesture_recognizer import GestureRecognizer
    from ostinato_gesture.run import Run


def evaluate(
    recognizer: GestureRecognizer,
    examples: GestureData,
    events: EventConfig | None = None,
    *,
    on_error: Callable[[InputError], None] = lambda error: None,
    on_recording: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Scores a model on clips with a label, and on recordings whose gestures are known.

    Of clips there is `accuracy`; of recordings, over which the model streams, `event_precision`, `event_recall` and
    `event_f1`, where an event is right if its label is and it begins within 20 frames of the true one, each counted
    once (the rule of SFINGE 3D). Where the model knows what is no gesture, the events of clips are scored too:
    `ClipEventScores`.

    Args:
      recognizer: the model.
      examples: as `read_data` returns them.
      events: when scores become an event; the model's own settings if not given.
      on_error: told of each recording that cannot be read; it does not count.
      on_recording: called after each.

    Raises:
      DataError: the data have a label that the model does not know, or nothing can be read.
    """
    labels = recognizer.labels
    check_known(_labels_of(examples), labels)
    outputs, truths, records = [], [], []
    events_of: list[tuple[Event, ...]] = []
    recordings = [each.video if isinstance(each, VideoExample) else each.features for each in examples]
    each_example: Sequence[VideoExample | FeatureSequence] = examples
    for example, (_, result) in zip(each_example, recognizer.recognize_each(recordings, events), strict=True):
        on_recording()
        if isinstance(result, InputError):
            on_error(result)
            continue
        if result.damage:
            on_error(InputError(result.damage))
        outputs.append(StreamOutput.of_scores(result.frame_scores, result.scores))
        truths.append(_truth(example, result, labels, recognizer.none))
        records.append(_record(example, result))
        events_of.append(result.events)
    if not outputs:
        raise DataError(f"none of the {len(examples)} recordings can be read; check the data")
    options = ScoringOptions(background=None if recognizer.none is None else labels.index(recognizer.none))
    scores = score_streams(outputs, truths, options)
    scores = _with_events(scores, events_of, truths, labels, recognizer.none, recognizer.frame_rate)
    return Evaluation(scores, labels, stream_confusion(outputs, truths), records)


def cross_validate_run(
    run: Run,
    events: EventConfig | None = None,
    *,
    num_folds: int = 0,
    hold_out: str = "",
    compare: bool = True,
    on_fold: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Trains the settings of a run anew on parts of its sequences, and scores the others.

    Args:
      run: prepared.
      events: when scores become an event in what is held out.
      num_folds: number of folds; 0 leaves out one group at a time.
      hold_out: names of groups, with commas between, to hold out instead, once.
      compare: whether the network without recurrence is trained too, which takes almost as long again.
      on_fold: called after each fold.

    Raises:
      DataError: there are too few groups, or none of such a name.
    """
    config = run.train_config
    found, result = evaluation.cross_validate_run(
        run,
        scoring_options(run),
        num_folds=num_folds,
        hold_out=hold_out,
        on_fold=on_fold,
        compare=compare,
        vary=make_variation(config, run.kind),
        joining=make_joining(run, config),
        blending=make_blending(config, run.kind),
        **network_options(config, run.kind, run.prepare_config.num_hands),
    )
    rows = sorted(result.outputs)
    truths = truths_of(run.store, rows)
    spotted = [
        spot_in_output(run, row, result.outputs[row].tempered(result.temperature), events or EventConfig())
        for row in rows
    ]
    scores = _with_events(result.scores, spotted, truths, run.labels, run.none, run.prepare_config.frame_rate)
    records = [
        {**record, "events": [dataclasses.asdict(event) for event in each]}
        for record, each in zip(found.records, spotted, strict=True)
    ]
    return dataclasses.replace(found, scores={**found.scores, "scores": scores}, records=records)


def spot_in_output(run: Run, row: int, output: StreamOutput, config: EventConfig) -> tuple[Event, ...]:
    """Returns the events that the scores of one of a run's sequences make."""
    hands = np.any(run.store.features_of(row) != 0, axis=1) if run.kind == LANDMARKS else None
    times = np.arange(len(output.frame_logits)) / run.prepare_config.frame_rate
    return spot_events(tempered_softmax(output.frame_logits), times, run.labels, config, none=run.none, hands=hands)


def _with_events(
    scores: Scores,
    events: Sequence[Sequence[Event]],
    truths: Sequence[StreamTruth],
    labels: Sequence[str],
    none: str | None,
    frame_rate: float,
) -> Scores:
    """Returns scores as gestures have them: `accuracy` for that of clips, beside them those of events.

    Events of recordings are scored by their starts, those of clips where there is a label for what is no gesture:
    without it, whatever happens is one gesture or another.
    """
    named = {"accuracy": scores["clip_accuracy"], **scores} if "clip_accuracy" in scores else dict(scores)
    num_examples = scores.get("num_clips", 0)
    pairs = list(zip(events, truths, strict=True))
    recordings = [(starts_of(each, frame_rate), truth) for each, truth in pairs if truth.label == UNLABELLED]
    if recordings:
        true = [true_events(truth.frame_labels, labels, none) for _, truth in recordings]
        of_recordings = score_events([found for found, _ in recordings], true).to_dict()
        num_examples += of_recordings["num_examples"]
        named |= {**of_recordings, "num_events": of_recordings["num_examples"]}
        named["signature"] = f"{scores['signature']} {of_recordings['signature']}"
    clips = [([event.label for event in each], labels[truth.label]) for each, truth in pairs if truth.label >= 0]
    of_clips = score_clip_events([told for told, _ in clips], [label for _, label in clips], none=none)
    if none is not None and of_clips is not None:
        named |= dataclasses.asdict(of_clips)
    return {**named, "num_examples": num_examples or scores["num_frames"]}


def _labels_of(examples: GestureData) -> set[str]:
    labels = {each.label for each in examples if each.label is not None}
    for each in examples:
        parts: Sequence[Any] = each.segments if isinstance(each, VideoExample) else each.events
        labels |= {part.label for part in parts}
    return labels


def _truth(
    example: VideoExample | FeatureSequence, result: GestureResult, labels: Sequence[str], none: str | None
) -> StreamTruth:
    if example.label is not None:
        return StreamTruth(np.full(len(result.times), UNLABELLED), labels.index(example.label), example.group)
    frame_labels = np.full(len(result.times), UNLABELLED if none is None else labels.index(none))
    if isinstance(example, FeatureSequence):
        for event in example.events:
            frame_labels[event.start : event.end] = labels.index(event.label)
        return StreamTruth(frame_labels, UNLABELLED, example.group)
    for segment in example.segments:
        rate = _file_rate(example.video) if segment.unit == "frames" else 1.0
        inside = (segment.start / rate <= result.times) & (result.times < segment.end / rate)
        frame_labels[inside] = labels.index(segment.label)
    return StreamTruth(frame_labels, UNLABELLED, example.group)


def _file_rate(video: str) -> float:
    from ostinato.frames.reading import VideoReader

    with VideoReader(video) as reader:
        return reader.frame_rate


def _record(example: VideoExample | FeatureSequence, result: GestureResult) -> dict[str, Any]:
    parts: Sequence[Any] = example.segments if isinstance(example, VideoExample) else example.events
    return sequence_record(
        example.video if isinstance(example, VideoExample) else example.name,
        example.group,
        result.label,
        result.confidence,
        true_label=example.label,
        events=[dataclasses.asdict(event) for event in result.events],
        true_events=[dataclasses.asdict(part) for part in parts],
    )
