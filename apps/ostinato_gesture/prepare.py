"""Videos or archives to a run directory: sequences of landmarks or of other features, with their labels."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from ostinato.errors import DataError, InputError
from ostinato.frames.labelled import VideoExample, check_videos, with_splits
from ostinato.frames.labelled.labelling import sorted_labels
from ostinato.sequences.folds import assign_splits
from ostinato.sequences.store import SequenceWriter
from ostinato_gesture.config import PrepareConfig
from ostinato_gesture.data import FeatureSequence, GestureData
from ostinato_gesture.model import FEATURES, LANDMARKS
from ostinato_gesture.run import Run
from ostinato_gesture.writing import Written, write_sequences, write_videos


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What `prepare` found."""

    sequences: dict[str, int]
    """usable clips and recordings of each split"""
    frames: int
    """of all of them, at the frame rate of the network"""
    seconds: float
    """of all of them"""
    hand_share: float
    """share of the frames of videos in which a hand was found; 1 for archives"""
    skipped: int
    """videos that are damaged from the start, missing, or with segments that lie beyond their end"""
    damaged: int
    """videos of which only a part could be read; that part is used"""


def prepare(
    run: Run,
    data: GestureData,
    config: PrepareConfig,
    *,
    on_error: Callable[[InputError], None] = lambda error: None,
    on_frame: Callable[[int, float], None] = lambda done, seconds: None,
) -> Prepared:
    """Makes a run directory. One that was made from the same data with the same settings is left as it is.

    Args:
      run: the run directory; made if it is missing.
      data: as `read_data` returns it, all of one kind.
      config: settings.
      on_error: told of each video that cannot be read, or not to its end.
      on_frame: called every few frames with the number of videos that are done and how many seconds of the next are.

    Raises:
      DataError: the directory was prepared from other data or with other settings, a group is in two splits, there are
        fewer than two labels, or nothing for training can be read.
      ModelError: the bundle of hand landmark models is missing or damaged.
    """
    if not data:
        raise DataError("there is nothing to prepare; give clips with labels")
    labels = choose_labels(data, config)
    if isinstance(data[0], VideoExample):
        videos = [dataclasses.replace(each, video=str(Path(each.video).resolve())) for each in _videos(data)]
        videos = with_splits(videos, config.one_in)
        fingerprint = _fingerprint([dataclasses.asdict(each) for each in videos], config)
        if run.is_prepared_from(fingerprint):
            return Prepared(**run.prepared["counts"])
        check_videos(videos)
        run.folder.mkdir(parents=True, exist_ok=True)
        with SequenceWriter(run.store) as writer:
            written = write_videos(writer, videos, labels, config, on_error, on_frame)
    else:
        sequences = _with_splits(cast(Sequence[FeatureSequence], data), config.one_in)
        fingerprint = _fingerprint([_facts(each) for each in sequences], config)
        if run.is_prepared_from(fingerprint):
            return Prepared(**run.prepared["counts"])
        run.folder.mkdir(parents=True, exist_ok=True)
        with SequenceWriter(run.store) as writer:
            written = write_sequences(writer, sequences, labels, config)
    prepared = _counts(written, len(data), config.frame_rate)
    if not prepared.sequences.get("train"):
        raise DataError("nothing for training can be read; check the data")
    kind = LANDMARKS if isinstance(data[0], VideoExample) else FEATURES
    run.write_prepared(config, fingerprint, prepared, labels=list(labels), kind=kind)
    return prepared


def choose_labels(data: GestureData, config: PrepareConfig) -> tuple[str, ...]:
    """Returns the names of all labels: that of no gesture first, then in alphabetical order.

    Raises:
      DataError: there are fewer than two, or nothing but what is no gesture.
    """
    none = config.background_label
    names = {each.label for each in data if each.label is not None}
    for each in data:
        parts = each.segments if isinstance(each, VideoExample) else each.events
        names |= {part.label for part in parts}
    if not names - {none}:
        raise DataError(f"the data show no gesture, only {none!r}; give clips of gestures too")
    if config.background or any(each.label is None for each in data):
        names.add(none)
    return sorted_labels(names, none)


def _counts(written: Written, num_given: int, frame_rate: float) -> Prepared:
    frames = sum(record.num_frames for record in written.records)
    return Prepared(
        sequences=dict(Counter(record.split for record in written.records)),
        frames=frames,
        seconds=round(frames / frame_rate, 3),
        hand_share=round(written.frames_with_hands / max(frames, 1), 4),
        skipped=num_given - len(written.records),
        damaged=written.damaged,
    )


def _videos(data: GestureData) -> Sequence[VideoExample]:
    return cast(Sequence[VideoExample], data)


def _with_splits(sequences: Sequence[FeatureSequence], one_in: int) -> list[FeatureSequence]:
    splits = assign_splits([(each.name, each.group, each.split) for each in sequences], one_in)
    return [dataclasses.replace(each, split=split) for each, split in zip(sequences, splits, strict=True)]


def _facts(sequence: FeatureSequence) -> list[object]:
    digest = hashlib.sha256(sequence.features.tobytes()).hexdigest()
    events = [dataclasses.astuple(event) for event in sequence.events]
    return [sequence.name, sequence.group, sequence.split, sequence.label, events, digest]


def _fingerprint(facts: list, config: PrepareConfig) -> str:
    return hashlib.sha256(json.dumps([facts, dataclasses.asdict(config)]).encode()).hexdigest()
