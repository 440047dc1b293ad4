"""A corpus of numerals in three languages: everything is generated, nothing is downloaded."""

import itertools
import shutil

import pytest

from ostinato_translate.config import PrepareConfig, TrainConfig
from ostinato_translate.data import open_corpus
from ostinato_translate.prepare import prepare
from ostinato_translate.run import Run

NUMERALS = {
    "de": ("eins", "zwei", "drei", "vier", "fünf"),
    "en": ("one", "two", "three", "four", "five"),
    "fr": ("un", "deux", "trois", "quatre", "cinq"),
}
THINGS = {
    "de": ("Hunde", "große Häuser", "Äpfel"),
    "en": ("dogs", "big houses", "apples"),
    "fr": ("chiens", "grandes maisons", "pommes"),
}
PREPARE = PrepareConfig(vocabulary_size=330)
LEARN = TrainConfig(
    directions=("en-de", "en-fr", "fr-de"),
    embedding_size=24,
    encoder_units=20,
    encoder_layers=1,
    units=36,
    attention_units=12,
    dropout=0.0,
    label_smoothing=0.0,
    tokens_per_batch=150,
    learning_rate=1e-2,
    warmup_updates=10,
    averaging=0.0,
    epochs=5,
    epochs_per_pass=1,
    precision="float32",
)
PASSES = 10  # of an epoch over all rows


def sentences(language):
    """45 sentences, such as "one or two big houses."."""
    joining = {"de": "und", "en": "and", "fr": "et"}[language]
    pairs = itertools.product(NUMERALS[language], NUMERALS[language], THINGS[language])
    return [f"{first} {joining} {second} {thing}." for first, second, thing in pairs][:45]


@pytest.fixture(scope="session")
def numerals(tmp_path_factory):
    """Parallel files: 35 rows to train of which one lacks its German sentence, 5 dev, 5 test."""
    folder = tmp_path_factory.mktemp("numerals")
    for language in NUMERALS:
        lines = sentences(language)
        if language == "de":
            lines[7] = ""
        for split, part in {"train": lines[:35], "val": lines[35:40], "test": lines[40:]}.items():
            (folder / f"{split}.{language}").write_text("".join(line + "\n" for line in part), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def prepared_numerals(numerals, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "run"
    prepare(Run(folder), open_corpus(numerals), PREPARE)
    return folder


@pytest.fixture
def run(prepared_numerals, tmp_path):
    """A prepared run directory of one's own."""
    return Run(shutil.copytree(prepared_numerals, tmp_path / "run"))


@pytest.fixture(scope="session")
def learned(prepared_numerals, tmp_path_factory):
    """A run whose model was trained until it knew its sentences by heart, into German and French only."""
    from ostinato.config import write_config
    from ostinato_translate.batches import ParallelBatches
    from ostinato_translate.train import Training

    class ManyPasses(ParallelBatches):
        """To begin an epoch and to save what it taught takes as long as many updates."""

        def __call__(self, epoch):
            for number in range(PASSES * epoch, PASSES * (epoch + 1)):
                yield from super().__call__(number)

        def num_batches(self, epoch=0):
            return PASSES * super().num_batches(epoch)

    class Learning(Training):
        scores = itertools.count(1)

        def _validate(self):
            return {"bleu": float(next(self.scores))}  # to translate takes longer than to learn

    run = Run(shutil.copytree(prepared_numerals, tmp_path_factory.mktemp("learned") / "run"))
    write_config(run.config_path, LEARN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato_translate.train.ParallelBatches", ManyPasses)
        Learning(run, LEARN)()
    return run
