"""Raw videos to a run directory: features and labels of their frames."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from ostinato.errors import DataError, InputError
from ostinato.frames.labelled import (
    VideoExample,
    check_segments,
    check_videos,
    frame_numbers,
    label_order,
    with_splits,
)
from ostinato.frames.reading import VideoReader
from ostinato.sequences.store import BACKGROUND, UNLABELLED, SequenceRecord, SequenceWriter
from ostinato_video.config import PrepareConfig
from ostinato_video.features import FeatureReader
from ostinato_video.reading import open_video
from ostinato_video.run import Run


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What `prepare` found."""

    videos: dict[str, int]
    """usable videos of each split"""
    frames: int
    """of all of them, at the frame rate of the network"""
    seconds: float
    """of all of them"""
    skipped_videos: int
    """damaged from the start, missing, or with segments that lie beyond their end"""
    damaged_videos: int
    """those of which only a part could be read; that part is used"""


def prepare(
    run: Run,
    examples: Sequence[VideoExample],
    config: PrepareConfig,
    *,
    on_error: Callable[[InputError], None] = lambda error: None,
    on_frame: Callable[[int, float], None] = lambda videos, seconds: None,
) -> Prepared:
    """Makes a run directory. One that was made from the same data with the same settings is left as it is.

    Args:
      run: the run directory; made if it is missing.
      examples: labelled videos, as `read_examples` returns them.
      config: settings.
      on_error: told of each video that cannot be read, or not to its end.
      on_frame: called every few frames with the number of videos that are done and how many seconds of the next are.

    Raises:
      DataError: the directory was prepared from other data or with other settings, a group is in two splits, there are
        fewer than two labels, or no video for training can be read.
      ConfigError: there is no such image network.
    """
    examples = [dataclasses.replace(example, video=str(Path(example.video).resolve())) for example in examples]
    examples = with_splits(examples, config.one_in)
    labels = label_order(examples, background=BACKGROUND if config.background else None)
    fingerprint = _fingerprint(examples, config)
    if run.is_prepared_from(fingerprint):
        return Prepared(**run.prepared["counts"])

    check_videos(examples)
    read = FeatureReader(config)
    run.folder.mkdir(parents=True, exist_ok=True)
    records: list[SequenceRecord] = []
    damaged = 0
    with SequenceWriter(run.store) as writer:
        for done, example in enumerate(examples):
            on_frame(done, 0.0)
            try:
                with open_video(example.video, config.frame_rate) as reader:
                    check_segments(example, reader)
                    on_time = functools.partial(on_frame, done)
                    records.append(_write(writer, read, reader, example, labels, on_time))
                if config.mirrored and example.split == "train":
                    with open_video(example.video, config.frame_rate) as again:
                        _write(writer, read, again, example, labels, on_time, variant_of=writer.num_sequences - 1)
            except InputError as error:
                on_error(error)
                continue
            if reader.damage is not None:
                damaged += 1
                on_error(InputError(reader.damage))
        on_frame(len(examples), 0.0)
    videos = Counter(record.split for record in records)
    if not videos["train"]:
        raise DataError("no video for training can be read; check the folder of videos")
    frames = sum(record.num_frames for record in records)
    prepared = Prepared(
        videos=dict(videos),
        frames=frames,
        seconds=round(frames / config.frame_rate, 3),
        skipped_videos=len(examples) - len(records),
        damaged_videos=damaged,
    )
    run.write_prepared(config, fingerprint, prepared, labels=list(labels))
    return prepared


def _write(
    writer: SequenceWriter,
    read: FeatureReader,
    reader: VideoReader,
    example: VideoExample,
    labels: Sequence[str],
    on_time: Callable[[float], None],
    variant_of: int | None = None,
) -> SequenceRecord:
    """Writes the features and labels of a video; where it is to be a variant, those of its mirror image."""
    frame_labels = []
    with closing(read(reader, mirrored=variant_of is not None)) as chunks:
        for frames in chunks:
            writer.append(frames.features)
            frame_labels.append(frame_numbers(example, frames.times, frames.numbers, labels, background=BACKGROUND))
            on_time(float(frames.times[-1]))
    is_clip = example.label is not None
    return writer.end_sequence(
        example.video,
        group=example.group,
        split=example.split,
        label=labels.index(example.label) if example.label is not None else UNLABELLED,
        frame_labels=None if is_clip else np.concatenate(frame_labels),
        variant_of=variant_of,
        columns=example.columns,
    )


def _fingerprint(examples: Sequence[VideoExample], config: PrepareConfig) -> str:
    content = json.dumps([[dataclasses.asdict(example) for example in examples], dataclasses.asdict(config)])
    return hashlib.sha256(content.encode()).hexdigest()
