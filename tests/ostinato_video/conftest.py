"""Painted videos, and an image network that sees them in no time: everything else is the real thing."""

import contextlib
import csv
import dataclasses
import io
import sys

import keras
import numpy as np
import pytest
from keras import ops

from ostinato.commands import run_application
from ostinato.config import write_config
from ostinato.frames.video_writer import VideoWriter
from ostinato.sequences.training import make_classifier
from ostinato.training import save_weights
from ostinato_video.cli import app
from ostinato_video.config import PrepareConfig, TimelineConfig, TrainConfig
from ostinato_video.data import read_examples
from ostinato_video.prepare import prepare
from ostinato_video.run import Run
from ostinato_video.video_classifier import VideoClassifier

SIZE = (40, 36)
FRAME_RATE = 12.5
COLOURS = {"red": (210, 30, 30), "blue": (30, 40, 220)}


class PatchEncoder(keras.layers.Layer):
    """Stands in for the image network: a projection of the mean colours of four quarters, [B, 4, 5]."""

    def __init__(self, network="efficientnet_lite0", weights=None, head=True, folded=False, **kwargs):
        super().__init__(**kwargs)
        self.network_name = network
        initializer = keras.initializers.GlorotUniform(seed=5) if weights == "imagenet" else "glorot_uniform"
        self.projection = keras.layers.Dense(5, kernel_initializer=initializer)
        self.projection.build((None, None, 3))
        self.built = True

    def call(self, images):
        size = images.shape[1] // 2
        quarters = ops.reshape(ops.cast(images, "float32") / 127.5 - 1, (-1, 2, size, 2, size, 3))
        return self.projection(ops.reshape(ops.mean(quarters, axis=(2, 4)), (-1, 4, 3)))

    def compute_output_shape(self, input_shape):
        return input_shape[0], 4, 5

    def set_trainable_blocks(self, num_blocks):
        """It has one block."""
        self.projection.trainable = num_blocks is None or num_blocks > 0


@contextlib.contextmanager
def patched_network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato.layers.frame_encoder.ImageEncoder", PatchEncoder)
        yield


@pytest.fixture
def quick_network():
    """The image network is tested where it lives."""
    with patched_network():
        yield


@pytest.fixture(scope="session")
def with_quick_network():
    """The same for fixtures that outlive a test."""
    return patched_network


def paint(path, colours):
    """Writes a grey video in which a square has the colour of each frame, or is missing (None)."""
    with VideoWriter(path, frame_rate=FRAME_RATE, size=SIZE) as video:
        for colour in colours:
            image = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
            if colour is not None:
                image[20:, 22:] = COLOURS[colour]
            video.write(image)


@pytest.fixture(scope="session")
def paint_video():
    return paint


@pytest.fixture(scope="session")
def squares(tmp_path_factory):
    """Four recordings of three days, 2 seconds each, in which a square appears: red, then blue."""
    folder = tmp_path_factory.mktemp("squares")
    rows = []
    for number, day in enumerate(("monday", "tuesday", "wednesday", "wednesday")):
        red, blue = range(3 + number, 9), range(13, 18 + number)
        paint(folder / f"{day}_{number}.mp4", ["red" if i in red else "blue" if i in blue else None for i in range(25)])
        rows += [
            (f"{day}_{number}.mp4", span.start, span.stop, label, day, "attic" if number == 1 else "hall")
            for label, span in (("red", red), ("blue", blue))
        ]
    with (folder / "segments.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("video", "start_frame", "end_frame", "label", "day", "room"), *rows])
    return folder


@pytest.fixture
def prepare_config():
    return PrepareConfig(frame_rate=FRAME_RATE, image_size=32, group_by="day", mirrored=False)


@pytest.fixture(scope="session")
def completed_run(squares, with_quick_network, tmp_path_factory):
    """A run on the squares whose network has random weights, and scores that differ clearly."""
    folder = tmp_path_factory.mktemp("runs") / "squares"
    with with_quick_network():
        run = Run(folder)
        prepare(
            run,
            read_examples(str(squares), group_by="day"),
            PrepareConfig(frame_rate=FRAME_RATE, image_size=32, group_by="day", mirrored=False),
        )
        config = TrainConfig(units=7, projection_size=5, precision="mixed_bfloat16")
        write_config(run.config_path, config)
        classifier = make_classifier(config, len(run.labels), run.store.feature_size)
        classifier.standardisation.adapt(*run.store.mean_and_deviation(run.store.rows("all")))
        for head in (classifier.frame_head, classifier.clip_head):
            head.kernel.assign(5 * head.kernel)
        save_weights(run.model_path, classifier)
    return run


@pytest.fixture(scope="session")
def exported(completed_run, with_quick_network, tmp_path_factory):
    """The version folder of that run's model, at temperature 1.7; proved in this process."""
    from ostinato.export import archive
    from ostinato.export.proof import prove
    from ostinato_video.exporting import export_run, sample_clips

    with with_quick_network(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            archive, "prove_in_fresh_process", lambda folder, tolerance: dataclasses.asdict(prove(folder, tolerance))
        )
        return export_run(
            completed_run,
            tmp_path_factory.mktemp("models") / "squares",
            timeline=TimelineConfig(switch_cost=1.0, min_seconds=0.2),
            temperature=1.7,
            samples=sample_clips(completed_run),
            metadata={"data_terms": "none"},
            model_card="# Squares\n",
        )


@pytest.fixture(scope="session")
def video_classifier(exported):
    return VideoClassifier.load(exported)


class Overheard(io.StringIO):
    """Standard output of which somebody hears before each piece is written."""

    def __init__(self, on_output):
        super().__init__()
        self.on_output = on_output

    def write(self, text):
        if self.on_output is not None:
            self.on_output(self.getvalue().count("\n"))
        return super().write(text)


def run_here(*words, on_output=None):
    """Runs a command line in this process; `on_output` is asked for a reaction whenever a line was written."""
    out, err = Overheard(on_output), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run_application(app, [str(word) for word in words])
    return code, out.getvalue(), err.getvalue().splitlines()


@pytest.fixture(scope="session")
def run():
    """Runs `ostinato-video`: (*words, on_output); gives its exit code, its output and the lines of its complaints."""
    return run_here
