"""Painted videos, and an image network that sees nothing but colours."""

import contextlib
import csv
import dataclasses
import functools
import io
import json
import sys

import keras
import numpy as np
import pytest
from keras import ops

from ostinato.commands import run_application
from ostinato.frames.video_writer import VideoWriter
from ostinato_video import video_classifier
from ostinato_video.cli import app

COLOURS = {"blue": (30, 40, 220), "green": (40, 200, 50), "red": (210, 30, 30)}
DAYS = ("monday", "tuesday", "wednesday", "thursday")
SIZE = (40, 36)
RATE = 10.0
SETTINGS = """
units = 9
projection_size = 0
dropout = 0.0
input_dropout = 0.0
batch_size = 4
learning_rate = 0.03
averaging = 0.3
epochs = 10
"""


class ColourEncoder(keras.layers.Layer):
    """Stands in for the image network: the mean colours of four quarters, [B, 4, 3], and a block that may learn."""

    def __init__(self, network="efficientnet_lite0", weights=None, head=True, folded=False, **kwargs):
        super().__init__(**kwargs)
        self.network_name = network
        self.mixing = keras.layers.Dense(3, kernel_initializer="identity")
        self.mixing.build((None, None, 3))
        self.built = True

    def call(self, images):
        size = images.shape[1] // 2
        quarters = ops.reshape(ops.cast(images, "float32") / 127.5 - 1, (-1, 2, size, 2, size, 3))
        return self.mixing(ops.reshape(ops.mean(quarters, axis=(2, 4)), (-1, 4, 3)))

    def compute_output_shape(self, input_shape):
        return input_shape[0], 4, 3

    def set_trainable_blocks(self, num_blocks):
        self.mixing.trainable = num_blocks != 0


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(scope="module", autouse=True)
def quick_network(proofs_in_this_process):
    """The image network takes no time, and a model is loaded once for all command lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato.layers.frame_encoder.ImageEncoder", ColourEncoder)
        patch.setattr("ostinato.layers.ImageEncoder", ColourEncoder)
        patch.setattr(video_classifier, "load_model", functools.cache(video_classifier.load_model))
        yield


def run_here(*words, standard_input=None):
    """Runs a command line in this process: starting TensorFlow each time would take minutes."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        if standard_input is not None:
            patch.setattr(sys, "stdin", stack.enter_context(standard_input.open()))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run_application(app, [str(word) for word in words])
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def run():
    """Runs `ostinato-video`: (*words, standard_input)."""
    return run_here


def paint_video(path, colour, num_frames):
    """Writes a grey video in which a square of some colour appears after three frames."""
    with VideoWriter(path, frame_rate=RATE, size=SIZE) as video:
        for number in range(num_frames):
            image = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
            if number >= 3:
                image[9:, 11:] = COLOURS[colour]
            video.write(image)
    return path


@pytest.fixture(scope="session")
def paint():
    """Writes a video: (path, colour, num_frames)."""
    return paint_video


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A video of each colour for each of four days, of which one is damaged."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for number, day in enumerate(DAYS):
        for colour in COLOURS:
            name = f"{day} {colour}.mp4"
            paint_video(folder / name, colour, 9 + number)
            rows.append((name, colour, day, "dev" if day == "thursday" else "train"))
    (folder / "damaged.mp4").write_bytes((folder / "monday red.mp4").read_bytes()[:500])
    rows.append(("damaged.mp4", "red", "monday", "train"))
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("video", "label", "group", "split"), *rows])
    return folder


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    """A file of settings for `train --config`."""
    path = tmp_path_factory.mktemp("settings") / "tiny.toml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture(scope="module")
def prepared(run, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "run"
    return folder, run("prepare", "--data", data, "--run", folder, "--image-size", 32)


@pytest.fixture
def video(data):
    return data / "thursday green.mp4"
