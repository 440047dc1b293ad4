import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from ostinato.errors import DataError
from ostinato_translate.data import open_corpus
from ostinato_translate.rows import Row
from ostinato_translate.tfds_data import open_tfds


class TinyTranslate(tfds.core.GeneratorBasedBuilder):
    """A translation set with the features of those that are published."""

    VERSION = tfds.core.Version("1.0.0")
    FEATURES = tfds.features.Translation(languages=("de", "pt-br"))

    def _info(self):
        return self.dataset_info_from_configs(features=self.FEATURES)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(1, 2), "validation": self._generate_examples(3)}

    def _generate_examples(self, *numbers):
        for number in numbers:
            yield number, {"de": f"Größe {number}.", "pt-br": f"Não {number}!"}


class TinyMultiTranslate(TinyTranslate):
    """Rows whose languages vary, beside a feature of something else."""

    FEATURES = tfds.features.FeaturesDict(
        {
            "talk_name": tfds.features.Text(),
            "translations": tfds.features.TranslationVariableLanguages(languages=("de", "fr", "en")),
        }
    )

    def _generate_examples(self, *numbers):
        for number in numbers:
            texts = {"de": f"Nummer {number}", "en": f"number {number}"} | ({"fr": "trois"} if number == 3 else {})
            yield number, {"talk_name": f"talk {number}", "translations": texts}


class TinyLabels(TinyTranslate):
    """A set of something else."""

    FEATURES = tfds.features.FeaturesDict({"text": tfds.features.Text(), "en": tfds.features.Text(), "is": np.int64})


def test_a_translation_set_is_read_with_its_splits_each_time_anew(tmp_path):
    languages, read = open_tfds("tiny_translate", tmp_path)
    assert languages == {"de", "pt-br"}
    rows = [
        Row("train", {"de": "Größe 1.", "pt-br": "Não 1!"}),
        Row("train", {"de": "Größe 2.", "pt-br": "Não 2!"}),
        Row("dev", {"de": "Größe 3.", "pt-br": "Não 3!"}),
    ]
    for _ in range(2):
        assert sorted(read(["de", "pt-br"]), key=str) == sorted(rows, key=str)


def test_languages_may_vary_and_those_that_are_not_asked_for_stay_away(tmp_path):
    languages, read = open_tfds("tiny_multi_translate", tmp_path)
    assert languages == {"de", "fr", "en"}
    rows = {row.sentences["de"]: row for row in read(["de", "fr"])}
    assert rows["Nummer 2"] == Row("train", {"de": "Nummer 2"})
    assert rows["Nummer 3"] == Row("dev", {"de": "Nummer 3", "fr": "trois"})


@pytest.mark.parametrize(
    ("name", "languages"),
    [("wmt16_translate/de-en", ("de", "en")), ("ted_hrlr_translate/pt_to_en", ("en", "pt"))],
)
def test_published_sets_are_read_by_their_names(name, languages):
    with tfds.testing.mock_data(num_examples=3):
        corpus = open_corpus(f"tfds:{name}")
        rows = list(corpus.read(corpus.languages))
    assert corpus.languages == languages
    assert [row.split for row in rows] == ["train"] * 3 + ["dev"] * 3 + ["test"] * 3
    assert all(set(row.sentences) == set(languages) and all(row.sentences.values()) for row in rows)


@pytest.mark.parametrize("name", ["no_such_set", "tiny_translate:7.7.7", ""])
def test_a_set_that_does_not_exist_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"TensorFlow Datasets has no .*; try tfds:ted_hrlr_translate/pt_to_en"):
        open_tfds(name, tmp_path)


def test_a_set_without_texts_by_language_is_refused(tmp_path):
    with pytest.raises(DataError, match="tfds:tiny_labels has no texts by language"):
        open_tfds("tiny_labels", tmp_path)


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataError, match=r'pip install "ostinato\[tfds\]"'):
        open_corpus("tfds:wmt16_translate/de-en")
