"""Command lines, and one tiny training from photos to an exported model for all tests of what comes before `predict`.

That model knows five words; what `predict` writes is tested with the one that ships.
"""

import contextlib
import csv
import dataclasses
import functools
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.commands import run_application
from ostinato_caption import captioner
from ostinato_caption.cli import app

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples" / "photos"
# What the tiny model learns to say of each photo, several times over: in so few captions only a word that is repeated
# becomes a piece of its own. Letter by letter it would learn for minutes; and where a model hesitates between two
# captions, rounding decides.
WORDS = {
    "000000000790.jpg": "cake",
    "000000099053.jpg": "noodles",
    "000000121647.jpg": "pizza",
    "000000129648.jpg": "boy",
    "000000165518.jpg": "motorcycle",
}
VALIDATION = ("cake", "noodles")
MAX_LENGTH = 8  # of captions: six words and the end, and one piece more
SETTINGS = """
embedding_size = 48
units = 48
attention_units = 8
photos_per_batch = 2
epochs = 12
patience = 0
learning_rate = 0.01
warmup_updates = 1
fine_tune_epochs = 1
fine_tune_learning_rate = 1e-4
fine_tune_blocks = 1
self_critical_epochs = 1
averaging = 0.3
dropout = 0.1
memory_dropout = 0.1
label_smoothing = 0.0
precision = "float32"
"""
PREPARE = ("--image-size", "96", "--vocabulary-size", "400", "--max-pieces", "60")


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def faults(self) -> list[str]:
        return self.err.splitlines()


def run_here(capture, words):
    """Runs a command line in this process: starting TensorFlow each time would take minutes."""
    with shortcuts():
        code = run_application(app, [str(word) for word in words])
    return Result(code, *capture.readouterr())


_load_once = functools.cache(captioner.load_model)


@contextlib.contextmanager
def shortcuts():
    """A model is loaded once for all command lines in this process, and Java, which takes seconds, is not started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captioner, "load_model", _load_once)
        for name in ("meteor", "spice"):
            patch.setattr(f"ostinato.metrics.captions.{name}", lambda hypotheses, references: (None, "not asked for"))
        yield


@pytest.fixture
def caption(capsys, monkeypatch):
    """Runs `ostinato-caption` with words and standard input."""

    def call(*words, standard_input=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(standard_input)))
        return run_here(capsys, words)

    return call


@pytest.fixture(scope="session")
def start():
    """Starts `ostinato-caption` in a process of its own, as the console script does."""

    def call(*words, **options):
        program = "from ostinato_caption.cli import main; main()"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        environment["PYTHONPATH"] = os.pathsep.join(str(ROOT / name) for name in ("shared", "apps"))
        return subprocess.Popen(
            [sys.executable, "-c", program, *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            **options,
        )

    return call


@dataclasses.dataclass(frozen=True)
class Made:
    """What a command line has made: a folder, and what it said."""

    folder: Path
    result: Result


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Eight photos, one of them damaged; two of those it learns are its validation photos as well."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for name, word in WORDS.items():
        for copy, split in ((name, "train"), (f"dev_{name}", "dev")):
            if split == "train" or word in VALIDATION:
                shutil.copy(SAMPLES / name, folder / copy)
                rows += [(copy, " ".join([word] * times), split) for times in range(2, 7)]
    (folder / "damaged.jpg").write_bytes((SAMPLES / min(WORDS)).read_bytes()[:9000])
    rows.append(("damaged.jpg", "nobody can see this", "train"))
    with (folder / "captions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("image", "caption", "split"), *rows])
    return folder


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    """A file of settings for `train --config`."""
    path = tmp_path_factory.mktemp("settings") / "tiny.toml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture(scope="session")
def prepared(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "run"
    return Made(folder, run_captured("prepare", "--data", data, "--run", folder, *PREPARE))


@pytest.fixture(scope="session")
def trained(prepared, settings, tmp_path_factory):
    folder = shutil.copytree(prepared.folder, tmp_path_factory.mktemp("trained") / "run")
    return Made(folder, run_captured("train", "--run", folder, "--config", settings))


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "tiny"
    words = ("export", "--run", trained.folder, "--output", folder, "--terms", "CC BY 2.0", "--max-length", MAX_LENGTH)
    return Made(folder, run_captured(*words))


def run_captured(*words):
    """As `run_here`, outside of a test, where pytest captures nothing for us."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run_application(app, [str(word) for word in words])
    return Result(code, out.getvalue(), err.getvalue())
