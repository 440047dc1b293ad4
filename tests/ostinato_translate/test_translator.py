import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import ostinato_translate
from ostinato.errors import ConfigError, InputError, ModelError
from ostinato.export import LoadedModel
from ostinato_translate import translator as module
from ostinato_translate.config import DecodingConfig
from ostinato_translate.translator import Translator, request_settings

DECODING: dict[str, Any] = {"beam_width": 3, "length_penalty": 0.5, "num_translations": 2}
FACTS = {
    "application": "ostinato_translate",
    "languages": ["de", "en", "fr"],
    "directions": [["en", "de"], ["en", "fr"], ["fr", "de"]],
    "decoding": DECODING,
    "max_pieces": 25,
    "max_source_pieces": 40,
}


class Signatures:
    """Stands in for an exported model: it translates by writing the language and the text in capitals."""

    def __init__(self):
        self.calls = []

    def beam_search(self, text, target_language, prefix, num_translations, **settings):
        texts = [each.decode() for each in text.numpy()]
        self.calls.append((texts, {"num_translations": num_translations, **settings}))
        count = int(num_translations)
        written = [
            [" ".join(filter(None, [start.decode(), f"{to.decode()}{n}", each.upper()])).encode() for n in range(count)]
            for each, to, start in zip(texts, target_language.numpy(), prefix.numpy(), strict=True)
        ]
        scores = -np.tile(np.arange(1, count + 1, dtype=np.float32), (len(texts), 1))
        outputs = {
            "translations": np.array(written, object).reshape(len(texts), count),
            "scores": scores,
            "log_probs": 2 * scores,
            "pieces": np.array([[["\u2581a".encode(), b"b", b""]] * count] * len(texts), object),
            "source_pieces": np.array([["\u2581x".encode(), b"</s>", b""]] * len(texts), object),
            "attention": np.full((len(texts), count, 3, 3), 0.5, np.float32),
        }
        return {name: tf.constant(array) for name, array in outputs.items()}

    @staticmethod
    def score(text, target_language, translation):
        lengths = tf.strings.length(translation)
        log_probs = -tf.cast(lengths, tf.float32)
        return {"log_probs": log_probs, "scores": log_probs / 2, "num_pieces": lengths}

    @staticmethod
    def next_pieces(text, target_language, prefix, num_alternatives):
        pieces = tf.constant([["\u2581a", "b", "</s>"]])[:, : int(num_alternatives)]
        return {"pieces": pieces, "texts": prefix + pieces, "log_probs": tf.constant([[-0.5, -1.0, -2.0]])}


@pytest.fixture
def signatures():
    return Signatures()


@pytest.fixture
def translator(signatures, prepared_numerals):
    functions = {name: getattr(signatures, name) for name in ("beam_search", "score", "next_pieces")}
    assets = {"tokenizer.model": prepared_numerals / "tokenizer.model"}
    return Translator(LoadedModel(Path("toy/1"), functions, {"metadata": FACTS}, assets, None))


def test_a_text_alone_is_a_text(translator):
    ((best, second),) = translator.translate("two dogs.", to="de")
    assert (best.text, second.text) == ("de0 TWO DOGS.", "de1 TWO DOGS.")
    assert (best.score, best.log_prob, second.score) == (-1, -2, -2)
    assert (best.pieces, best.source_pieces, best.attention.shape) == (("\u2581a", "b"), ("\u2581x", "</s>"), (2, 2))


def test_the_languages_are_those_of_the_model_in_order(translator):
    assert translator.languages == ("de", "en", "fr")
    assert translator.directions == (("en", "de"), ("en", "fr"), ("fr", "de"))
    assert translator.decoding == DecodingConfig(**DECODING)


def test_results_come_in_the_order_of_the_texts_though_the_longest_are_translated_first(translator, signatures):
    texts = ["one.", "one and two big houses.", "", "two and two.", "one."]
    results = translator.translate(texts, to=["de", "fr", "de", "fr", "fr"])
    assert [result[0].text for result in results] == [
        "de0 ONE.",
        "fr0 ONE AND TWO BIG HOUSES.",
        "",
        "fr0 TWO AND TWO.",
        "fr0 ONE.",
    ]
    asked = [text for texts, _ in signatures.calls for text in texts]
    assert asked[0] == texts[1]
    assert "" not in asked


def test_texts_are_normalised_before_they_are_translated(translator):
    ((best, _),) = translator.translate("  e\u0301\u00a0two\x00 ", to="de", prefix=" o\u0308 ")
    assert best.text == "ö de0 É TWO"


def test_a_text_that_is_too_long_is_translated_sentence_by_sentence(translator):
    ((best, second),) = translator.translate("one and two dogs. Three and four big houses. Five.", to="de")
    assert best.text == "de0 ONE AND TWO DOGS. de0 THREE AND FOUR BIG HOUSES. de0 FIVE."
    assert (best.num_sentences, best.score, second.score) == (3, -3, -6)
    assert best.attention.shape == (6, 6)


def test_what_cannot_be_translated_is_given_back_in_its_place(translator):
    given = ["one.", "one and two " * 800, InputError("is no text"), "two."]
    results = list(translator.translate_each(given, itertools.cycle(["de", "fr"])))
    assert [text for text, _ in results] == given
    assert [isinstance(result, InputError) for _, result in results] == [False, True, True, False]
    assert results[3][1][0].text == "fr0 TWO."
    with pytest.raises(InputError, match="pieces"):
        translator.translate(given[:2], "de")


def test_texts_are_read_as_they_are_needed(translator, signatures):
    read = 0

    def texts():
        nonlocal read
        for _ in range(7):
            read += 1
            yield "one."

    results = translator.translate_each(texts(), "de", texts_at_once=3)
    next(results)
    assert read == 3
    assert len(list(results)) == 6
    assert [len(texts) for texts, _ in signatures.calls] == [3, 3, 1]


def test_a_language_that_is_not_written_is_refused_at_once_or_in_the_place_of_its_text(translator):
    with pytest.raises(ConfigError, match="does not translate into 'en'; it knows de, fr"):
        translator.translate_each(["one."], "en")
    results = [result for _, result in translator.translate_each(["one."] * 3, ["DE", "xx", "fr"])]
    assert [isinstance(result, InputError) for result in results] == [False, True, False]
    assert translator.target_language(" FR") == "fr"


def test_fewer_languages_than_texts_lose_no_text(translator):
    with pytest.raises(InputError, match="fewer target languages"):
        translator.translate(["one.", "two."], to=["de"])


def test_the_settings_are_the_models_own_unless_given(translator, signatures):
    translator.translate("one.", "de")
    translator.translate("one.", "de", decoding=DecodingConfig(beam_width=4, length_penalty=2))  # an int for a float
    (_, own), (_, given) = signatures.calls
    assert {name: own[name].numpy() for name in DECODING} == pytest.approx(DECODING)
    assert (given["beam_width"].numpy(), given["length_penalty"].numpy()) == (4, 2.0)
    with pytest.raises(ConfigError, match="raise --beam-width to 7"):
        request_settings(DecodingConfig(num_translations=7))


def test_given_translations_are_scored_in_their_order(translator):
    scores = translator.score(["one and two dogs.", "one.", ""], ["eins", "zwei Hunde", "x"], "de")
    assert [(each.log_prob, each.score, each.num_pieces) for each in scores] == [
        (-4, -2, 4),
        (-10, -5, 10),
        (-1, -0.5, 1),
    ]
    assert translator.score("one.", "un", "fr")[0].num_pieces == 2
    with pytest.raises(InputError, match="2 texts and 1 translations"):
        translator.score(["one.", "two."], "eins", "de")


def test_alternatives_hold_the_prefix_and_the_piece(translator):
    first, *_, last = translator.alternatives("one.", "de", "eins", num=3)
    assert (first.text, first.piece, first.log_prob) == ("eins\u2581a", "\u2581a", -0.5)
    assert last.piece == "</s>"
    for num in (0, 10_000):
        with pytest.raises(InputError, match=f"{num} alternatives cannot be shown"):
            translator.alternatives("one.", "de", num=num)


def test_a_model_of_another_application_is_refused(monkeypatch):
    other = LoadedModel(Path("caption/2"), {}, {"metadata": {"application": "ostinato_caption"}}, {}, None)
    monkeypatch.setattr(module, "load_model", lambda name: other)
    with pytest.raises(ModelError, match="caption/2 writes no translations"):
        Translator.load("caption")


def test_importing_the_translator_starts_nothing():
    names = "Alternative, DecodingConfig, Score, Translation, Translator"
    program = (
        f"import sys, ostinato_translate; assert 'numpy' not in sys.modules; from ostinato_translate import {names}; "
        "sys.exit(bool({'tensorflow', 'keras', 'jax'} & set(sys.modules)))"
    )
    roots = [str(Path(__file__).parents[2] / name) for name in ("shared", "apps")]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {roots}; {program}"], check=True)
    with pytest.raises(AttributeError, match="has no attribute 'Translater'"):
        _ = ostinato_translate.Translater
