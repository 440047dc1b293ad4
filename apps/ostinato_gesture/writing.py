"""Sequences into the store of a run, a piece at a time, with the label of every frame."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ostinato.errors import InputError
from ostinato.frames.labelled import VideoExample, check_segments, frame_numbers
from ostinato.frames.reading import VideoReader
from ostinato.sequences.store import UNLABELLED, SequenceRecord, SequenceWriter
from ostinato_gesture.config import PrepareConfig
from ostinato_gesture.data import FeatureSequence
from ostinato_gesture.landmarks import HandLandmarks

LARGEST_SIDE = 640  # pixels: hands are found in larger frames no better
_FRAMES_AT_ONCE = 64  # that are written at once


class Written(NamedTuple):
    """What has been written.

    Attributes:
      records: of the sequences, in order.
      frames_with_hands: number of frames in which a hand was found; all, of archives.
      damaged: number of videos of which only a part could be read.
    """

    records: list[SequenceRecord]
    frames_with_hands: int
    damaged: int


def write_videos(
    writer: SequenceWriter,
    examples: Sequence[VideoExample],
    labels: Sequence[str],
    config: PrepareConfig,
    on_error: Callable[[InputError], None],
    on_frame: Callable[[int, float], None],
) -> Written:
    """Finds the hands in videos and writes their landmarks, float [2 * 21 * 3] a frame, zeros for no hand.

    Frames of a labelled clip before the first hand and after the last one are no gesture. Arguments as of `prepare`.

    Raises:
      ModelError: the bundle of hand landmark models is missing or damaged.
    """
    records, frames_with_hands, damaged = [], 0, 0
    with HandLandmarks(config.num_hands) as hand_landmarks:
        for done, example in enumerate(examples):
            on_frame(done, 0.0)
            hand_landmarks.restart()
            try:
                with VideoReader(example.video, frame_rate=config.frame_rate, max_side=LARGEST_SIDE) as reader:
                    check_segments(example, reader)
                    on_time = functools.partial(on_frame, done)
                    record, found = _write_video(writer, hand_landmarks, reader, example, labels, config, on_time)
            except InputError as error:
                on_error(error)
                continue
            records.append(record)
            frames_with_hands += found
            if reader.damage is not None:
                damaged += 1
                on_error(InputError(reader.damage))
        on_frame(len(examples), 0.0)
    return Written(records, frames_with_hands, damaged)


def write_sequences(
    writer: SequenceWriter, sequences: Sequence[FeatureSequence], labels: Sequence[str], config: PrepareConfig
) -> Written:
    """Writes the sequences of archives. Arguments as of `prepare`."""
    none = _number(config.background_label, labels)
    records = []
    for sequence in sequences:
        writer.append(sequence.features)
        frame_labels = None
        if sequence.label is None:
            frame_labels = np.full(len(sequence.features), none)
            for event in sequence.events:
                frame_labels[event.start : event.end] = labels.index(event.label)
        records.append(
            writer.end_sequence(
                sequence.name,
                group=sequence.group,
                split=sequence.split,
                label=_number(sequence.label, labels),
                frame_labels=frame_labels,
            )
        )
    return Written(records, sum(record.num_frames for record in records), 0)


def _write_video(
    writer: SequenceWriter,
    hand_landmarks: HandLandmarks,
    reader: VideoReader,
    example: VideoExample,
    labels: Sequence[str],
    config: PrepareConfig,
    on_time: Callable[[float], None],
) -> tuple[SequenceRecord, int]:
    """Writes one video; returns its record and the number of frames in which a hand was found."""
    waiting, times, numbers, present = [], [], [], []
    for frame in reader:
        hands = hand_landmarks.detect(frame.image, frame.time)
        waiting.append(hands.landmarks.reshape(-1))
        times.append(frame.time)
        numbers.append(frame.number)
        present.append(bool(hands.presence.any()))
        if len(waiting) == _FRAMES_AT_ONCE:
            writer.append(np.stack(waiting))
            waiting = []
            on_time(frame.time)
    if waiting:
        writer.append(np.stack(waiting))
    none = config.background_label
    if example.label is None:
        frame_labels = frame_numbers(example, np.array(times), np.array(numbers), labels, background=none)
    else:
        frame_labels = label_clip(np.array(present), labels.index(example.label), _number(none, labels))
    record = writer.end_sequence(
        example.video,
        group=example.group,
        split=example.split,
        label=_number(example.label, labels),
        frame_labels=frame_labels,
    )
    return record, sum(present)


def label_clip(present: np.ndarray, label: int, none: int) -> np.ndarray:
    """Returns the label of each frame of a clip, int64 [F]: its own from the first hand to the last, `none` outside.

    Args:
      present: bool [F], whether a hand is in the frame.
      label: number of the clip's label.
      none: number of the label of what is no gesture, or `UNLABELLED`: then all frames have the clip's.
    """
    found = np.flatnonzero(present)
    if none == UNLABELLED or not len(found):
        return np.full(len(present), label)
    frame_labels = np.full(len(present), none)
    frame_labels[found[0] : found[-1] + 1] = label
    return frame_labels


def _number(label: str | None, labels: Sequence[str]) -> int:
    return labels.index(label) if label in labels else UNLABELLED
