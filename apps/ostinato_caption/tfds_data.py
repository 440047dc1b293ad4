"""Captioned photos from TensorFlow Datasets, such as `tfds:coco_captions`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ostinato.errors import DataError
from ostinato.files import write_atomically
from ostinato.tfds_builder import download, find_builder
from ostinato.untuned import untuned
from ostinato_caption.data import Example

# `restval` of COCO: what Karpathy's split adds to the training photos.
_SPLITS = {"train": "train", "restval": "train", "val": "dev", "validation": "dev", "test": "test"}


def read_tfds(name: str, data_dir: str | Path | None = None) -> list[Example]:
    """Reads a captioning set of TensorFlow Datasets, downloading it on first use.

    The photos are written once as files beside the data set, since all that follows reads files.

    Args:
      name: such as `coco_captions`, or with a version, `coco_captions/2014:1.1.0`. Its examples need the features
        `image` and `captions` (each with `text`).
      data_dir: where TensorFlow Datasets keeps its files; its own default if not given.

    Raises:
      DataError: TensorFlow Datasets is not installed, has no such set, or it cannot be downloaded.
    """
    builder = find_builder(name, data_dir, such_as="coco_captions")
    if not {"image", "captions"} <= set(builder.info.features or ()):
        raise DataError(f"tfds:{name} has no features image and captions; name a captioning set, such as coco_captions")
    download(builder, name)
    folder = Path(builder.data_dir) / "photos"
    examples = []
    for split in builder.info.splits:
        # The encoded file is kept as it is: decoding and encoding again would blur it.
        dataset = builder.as_dataset(split=split, decoders={"image": _skip_decoding()}, shuffle_files=False)
        for number, record in enumerate(untuned(dataset).as_numpy_iterator()):
            captions = tuple(text.decode() for text in record["captions"]["text"])
            if captions:  # the test split of COCO has none
                path = folder / split / _file_name(record, number)
                if not path.exists():
                    write_atomically(path, record["image"])
                examples.append(Example(str(path), _SPLITS.get(split, split), captions))
    return examples


def _skip_decoding() -> Any:
    import tensorflow_datasets as tfds

    return tfds.decode.SkipDecoding()


def _file_name(record: dict[str, Any], number: int) -> str:
    name = record.get("image/filename", b"").decode()
    return Path(name).name or f"{number:08d}.jpg"
