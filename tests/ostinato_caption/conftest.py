"""A data set of painted squares and an image network that sees it in no time: everything else is the real thing."""

import contextlib
import csv
import dataclasses
import itertools
import shutil

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from ostinato.config import write_config
from ostinato.training import Watcher
from ostinato_caption.config import DecodingConfig, PrepareConfig, TrainConfig
from ostinato_caption.data import read_examples
from ostinato_caption.prepare import prepare
from ostinato_caption.run import Run
from ostinato_caption.train import Training

COLOURS = {"red": (220, 30, 30), "green": (20, 160, 60), "blue": (40, 60, 230), "white": (250, 250, 250)}
PREPARE = PrepareConfig(image_size=32, vocabulary_size=330)
TRAIN = TrainConfig(
    embedding_size=8,
    decoders=2,
    units=12,
    attention_units=5,
    photos_per_batch=4,
    captions_per_photo=3,
    averaging=0.5,
    warmup_updates=1,
    precision="float32",
    epochs=2,
    fine_tune_epochs=2,
    self_critical_views=3,
    fine_tune_learning_rate=1e-2,
    fine_tune_blocks=1,
    self_critical_epochs=2,
)


class PatchEncoder(keras.layers.Layer):
    """Stands in for the image network: a projection of the mean colours of four quarters, and of which quarter it is,
    [B, 4, 7].
    """

    def __init__(self, network="efficientnet_lite0", weights=None, **kwargs):
        super().__init__(**kwargs)
        self.network_name = network
        # Four times what is usual: colours that lie far apart are told apart early.
        initializer = keras.initializers.VarianceScaling(16.0, "fan_avg", "uniform", seed=5)
        self.projection = keras.layers.Dense(7, kernel_initializer=initializer if weights == "imagenet" else "zeros")
        self.projection.build((None, None, 3 + 4))
        self.built = True

    def call(self, images):
        quarters = ops.reshape(ops.cast(images, "float32") / 127.5 - 1, (-1, 2, 16, 2, 16, 3))
        colours = ops.reshape(ops.mean(quarters, axis=(2, 4)), (-1, 4, 3))
        places = ops.broadcast_to(ops.eye(4), (ops.shape(colours)[0], 4, 4))
        return self.projection(ops.concatenate([colours, places], axis=-1))

    def compute_output_shape(self, input_shape):
        return input_shape[0], 4, 7

    def set_trainable_blocks(self, num_blocks):
        self.projection.trainable = bool(num_blocks)

    def fold(self):
        return self


@pytest.fixture(scope="session")
def squares(tmp_path_factory):
    """Twelve photos, a square in a corner, three captions each: nine to train, two dev, one test."""
    folder = tmp_path_factory.mktemp("squares")
    rows = []
    for number, (ground, square) in enumerate(itertools.permutations(COLOURS, 2)):
        pixels = np.full((36, 40, 3), COLOURS[ground], np.uint8)
        pixels[18:, 20:] = COLOURS[square]
        name = f"{square}_on_{ground}.png"
        Image.fromarray(pixels).save(folder / name)
        split = "dev" if number in (2, 7) else "test" if number == 4 else "train"
        # Of four words or more: whichever of them a model writes, BLEU has runs of four to look at.
        texts = (
            f"A {square} square on {ground} .",
            f"{square} before all {ground}",
            f"the {ground} has a {square} corner",
        )
        rows += [(name, text, split) for text in texts]
    with (folder / "captions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "caption", "split"), *rows])
    return folder


@contextlib.contextmanager
def patched_network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato_caption.image_network.ImageEncoder", PatchEncoder)
        yield


@pytest.fixture(autouse=True)
def quick_network():
    """None of these tests needs the real image network; those of whole command lines have it."""
    with patched_network():
        yield


@dataclasses.dataclass(frozen=True)
class ShortDecodingConfig(DecodingConfig):
    """Networks that know nothing write until they are stopped, piece by piece."""

    max_length: int = 8


@pytest.fixture
def eager(eager, monkeypatch):
    monkeypatch.setattr("ostinato_caption.train.DecodingConfig", ShortDecodingConfig)


@pytest.fixture(scope="session")
def with_quick_network():
    """The same for fixtures that outlive a test."""
    return patched_network


@pytest.fixture(scope="session")
def prepared_squares(squares, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "run"
    with patched_network():
        prepare(Run(folder), read_examples(squares), PREPARE)
    return folder


@pytest.fixture
def run(prepared_squares, tmp_path):
    """A prepared run directory of one's own."""
    return Run(shutil.copytree(prepared_squares, tmp_path / "run"))


@pytest.fixture
def settings():
    """Makes the settings of a training that takes seconds."""
    return lambda **changes: dataclasses.replace(TRAIN, **changes)


@pytest.fixture(scope="session")
def trained(prepared_squares, eagerly, tmp_path_factory):
    """A run whose three phases went through undisturbed."""
    run = Run(shutil.copytree(prepared_squares, tmp_path_factory.mktemp("trained") / "run"))
    write_config(run.config_path, TRAIN)
    heard: list[tuple] = []
    watcher = Watcher(
        on_phase=lambda phase, num_updates: heard.append((phase, num_updates)),
        on_epoch=lambda phase, progress: heard.append((phase, progress.epoch, len(progress.history))),
    )
    with patched_network(), eagerly(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato_caption.train.DecodingConfig", ShortDecodingConfig)
        Training(run, TRAIN, watcher)()
    (run.folder / "heard").write_text(repr(heard))
    return run


@pytest.fixture(scope="session")
def learned(prepared_squares, tmp_path_factory):
    """A run whose model was trained until it knew its photos by heart."""
    run = Run(shutil.copytree(prepared_squares, tmp_path_factory.mktemp("learned") / "run"))
    config = dataclasses.replace(
        TRAIN,
        embedding_size=24,
        units=48,
        attention_units=16,
        photos_per_batch=9,
        dropout=0.0,
        memory_dropout=0.0,
        label_smoothing=0.0,
        patience=0,
        epochs=10,
        learning_rate=1e-2,
        averaging=0.9,
        fine_tune_epochs=0,
        self_critical_epochs=0,
    )
    write_config(run.config_path, config)
    with patched_network():
        training = Training(run, config)
        training.dev_rows, training.dev_captions = training.train_rows, training.train_captions
        # Many passes an epoch, for to score and to save take longer than to learn; of all photos at once, for what
        # is learned of a few is forgotten over others, and chance decides.
        passes, targets = 30, training.targets
        training.train_rows = np.tile(training.train_rows, passes)
        targets.ids, targets.lengths = passes * targets.ids, np.tile(targets.lengths, passes)
        training.updates_per_epoch *= passes
        training()
    return run
