"""Labelled videos from TensorFlow Datasets, such as `tfds:ucf101`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.errors import DataError
from ostinato.frames.labelled.examples import VideoExample, split_name
from ostinato.frames.video_writer import VideoWriter
from ostinato.tfds_builder import download, find_builder
from ostinato.untuned import untuned

_FRAME_RATE = 25.0  # of UCF101 and HMDB51; TensorFlow Datasets keeps frames without their times


def read_tfds(name: str, data_dir: str | Path | None = None) -> list[VideoExample]:
    """Reads a set of labelled clips of TensorFlow Datasets, downloading it on first use.

    The clips are written once as files beside the data set, since all that follows reads files. Nothing is known of
    groups, so that each clip is a group of its own; the sets' own splits divide people and scenes.

    Args:
      name: such as `ucf101`, or with a configuration, `ucf101/ucf101_2`. Its examples need the features `video` and
        `label`.
      data_dir: where TensorFlow Datasets keeps its files; its own default if not given.

    Raises:
      DataError: TensorFlow Datasets is not installed, has no such set, or it cannot be downloaded.
    """
    builder = find_builder(name, data_dir, such_as="ucf101")
    features = builder.info.features or {}
    if not {"video", "label"} <= set(features):
        raise DataError(f"tfds:{name} has no features video and label; name a set of labelled clips, such as ucf101")
    download(builder, name)
    folder = Path(builder.data_dir) / "videos"
    examples = []
    for split in builder.info.splits:
        # Compressed pictures, one string a frame: a clip of pixels would take hundreds of megabytes.
        decoders = {"video": _skip_decoding()}
        dataset = builder.as_dataset(split=split, decoders=decoders, shuffle_files=False)
        for number, record in enumerate(untuned(dataset).as_numpy_iterator()):
            path = folder / split / f"{number:06d}.mp4"
            if not path.exists():
                _write_video(path, record["video"])
            label = features["label"].int2str(int(record["label"]))
            examples.append(VideoExample(str(path), f"{split}/{path.name}", split_name(split), label=label))
    return examples


def _write_video(path: Path, pictures: np.ndarray) -> None:
    """Writes encoded pictures, bytes [F], as a video."""
    images = _decoded(pictures)
    first = next(images)
    height, width, _ = first.shape
    with VideoWriter(path, frame_rate=_FRAME_RATE, size=(width, height)) as video:
        for image in itertools.chain([first], images):
            video.write(image)


def _decoded(pictures: np.ndarray) -> Iterator[np.ndarray]:
    import tensorflow as tf

    for picture in pictures:
        yield tf.io.decode_image(picture, channels=3, expand_animations=False).numpy()


def _skip_decoding() -> Any:
    import tensorflow_datasets as tfds

    return tfds.decode.SkipDecoding()
