"""A corpus of numerals in three languages: everything is generated, nothing is downloaded."""

import itertools
import shutil

import pytest

from ostinato_translate.config import PrepareConfig
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
