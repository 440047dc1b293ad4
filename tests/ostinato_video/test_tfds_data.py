import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from ostinato.errors import DataError
from ostinato.frames.reading import VideoReader
from ostinato_video import tfds_data
from ostinato_video.data import read_examples
from ostinato_video.tfds_data import read_tfds

FRAMES = {"train": (5, 3), "test": (7,)}


class TinyClips(tfds.core.GeneratorBasedBuilder):
    """The features of ucf101, and its splits; the clip of n frames has the label of n % 2, red or blue."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "video": tfds.features.Video(shape=(None, 34, 46, 3)),
            "label": tfds.features.ClassLabel(names=["blue", "red"]),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(*frames) for split, frames in FRAMES.items()}

    def _generate_examples(self, *numbers):
        for number in numbers:
            pixels = np.zeros((number, 34, 46, 3), np.uint8)
            pixels[..., 2 * (number % 4 // 2)] = 200  # of 5 and 3 frames, the first is red, the second blue
            yield number, {"video": pixels, "label": "red" if number == 5 else "blue"}


class NoClips(TinyClips):
    """A set of something else."""

    def _info(self):
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict({"text": tfds.features.Text()}))


def test_clips_are_written_as_videos_with_their_label_and_split(tmp_path, capsys):
    examples = read_tfds("tiny_clips", tmp_path)
    assert sorted((example.split, example.label) for example in examples) == [
        ("test", "blue"),
        ("train", "blue"),
        ("train", "red"),
    ]
    assert len({example.group for example in examples}) == 3
    lengths = set()
    for example in examples:
        with VideoReader(example.video) as reader:
            assert reader.size == (46, 34)
            images = [frame.image for frame in reader]
        lengths.add(len(images))
        red, blue = images[0][..., 0].mean(), images[0][..., 2].mean()
        assert (red > blue + 100) == (example.label == "red")
    assert lengths == {3, 5, 7}
    assert capsys.readouterr().out == ""


def test_reading_again_takes_the_videos_that_are_there(tmp_path, monkeypatch):
    first = read_tfds("tiny_clips", tmp_path)
    monkeypatch.setattr(tfds_data, "VideoWriter", None)
    assert read_tfds("tiny_clips", tmp_path) == first


def test_a_name_that_begins_with_tfds_is_read_from_there(monkeypatch):
    monkeypatch.setattr(tfds_data, "read_tfds", lambda name: [f"examples of {name}"])
    assert read_examples("tfds:tiny_clips") == ["examples of tiny_clips"]
    assert read_examples("tiny_clips", "tfds") == ["examples of tiny_clips"]


def test_a_set_without_clips_is_refused(tmp_path):
    with pytest.raises(DataError, match="has no features video and label"):
        read_tfds("no_clips", tmp_path)


def test_a_set_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(DataError, match="TensorFlow Datasets has no 'no_such_set'; try tfds:ucf101"):
        read_tfds("no_such_set", tmp_path)


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataError, match=r'pip install "ostinato\[tfds\]"'):
        read_tfds("ucf101")
