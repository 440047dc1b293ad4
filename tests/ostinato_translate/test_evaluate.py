import dataclasses
from typing import Any

import pytest

from ostinato.errors import ConfigError, DataError, InputError
from ostinato.metrics import score_translations
from ostinato_translate.config import DecodingConfig
from ostinato_translate.evaluate import (
    compare,
    comparison_as_text,
    evaluate,
    read_translations,
    scores_as_figures,
    translate_pairs,
)
from ostinato_translate.sentence_pairs import SentencePairs

GERMAN = SentencePairs(
    "en",
    "de",
    ["A dog runs through the snow.", "long", "Two men play in a field."],
    ["Ein Hund läuft durch den Schnee.", "Ein Kind schläft.", "Zwei Männer spielen auf einem Feld."],
)
CZECH = SentencePairs("en", "cs", ["A dog runs through the snow."], ["Pes běží sněhem daleko."])
WRITTEN = ["Ein Hund läuft durch den Schnee.", "", "Zwei Männer spielen auf dem Feld."]


@dataclasses.dataclass
class Found:
    text: str


class Knowing:
    """Stands in for a translator that knows some sentences by heart."""

    languages = ("cs", "de", "en")

    def target_language(self, to):
        if to == "fr":
            raise ConfigError("the model does not translate into 'fr'")
        return to

    def translate_each(self, texts, to, *, decoding):
        assert (to, decoding.beam_width) == ("de", 3)
        for text, written in zip(texts, WRITTEN, strict=True):
            yield text, InputError("is too long") if text == "long" else [Found(written), Found("other")]


def knowing() -> Any:
    return Knowing()


def test_a_sentence_that_cannot_be_translated_counts_as_empty():
    errors: list[InputError] = []
    counted: list[int] = []
    written = translate_pairs(
        knowing(), GERMAN, DecodingConfig(beam_width=3), on_error=errors.append, on_sentence=lambda: counted.append(1)
    )
    assert written == WRITTEN
    assert len(counted) == 3
    assert [str(error) for error in errors] == ["en-de, sentence 2: is too long; it counts as an empty translation"]


@pytest.mark.parametrize(
    ("direction", "said"), [(("fr", "de"), "from 'fr'; it knows cs, de, en"), (("en", "fr"), "into")]
)
def test_a_language_that_the_model_does_not_know_is_refused(direction, said):
    with pytest.raises(ConfigError, match=said):
        translate_pairs(knowing(), SentencePairs(*direction), DecodingConfig())


def test_the_scores_of_one_direction_are_those_of_the_metrics():
    result = evaluate([GERMAN], [WRITTEN])
    expected = score_translations(WRITTEN, GERMAN.references)
    assert result.scores["bleu"] == expected.bleu
    assert result.scores["signature"] == expected.bleu_signature
    assert list(result.scores)[:5] == ["bleu", "chrf", "ter", "num_examples", "signature"]
    assert [record["chrf"] for record in result.translations][:2] == [100, 0]
    assert result.translations[2] == {
        "direction": "en-de",
        "source": "Two men play in a field.",
        "translation": "Zwei Männer spielen auf dem Feld.",
        "chrf": pytest.approx(80, abs=15),
        "reference": "Zwei Männer spielen auf einem Feld.",
    }


def test_of_several_directions_the_scores_are_means():
    result = evaluate([GERMAN, CZECH], [WRITTEN, ["Pes běží sněhem rychle."]])
    german, czech = (result.scores["directions"][name] for name in ("en-de", "en-cs"))
    assert german["bleu"] == evaluate([GERMAN], [WRITTEN]).scores["bleu"]
    assert result.scores["chrf"] == pytest.approx((german["chrf"] + czech["chrf"]) / 2)
    assert result.scores["num_examples"] == 4
    figures = scores_as_figures(result.scores)
    assert list(figures)[:3] == ["en-de", "en-cs", "bleu"]
    assert "directions" not in figures


def test_case_and_tokenisation_are_those_asked_for():
    scores = evaluate([GERMAN], [[text.lower() for text in WRITTEN]], lowercase=True, tokenisation="none").scores
    assert "case:lc" in scores["signature"]
    assert "tok:none" in scores["signature"]
    assert scores["bleu"] == evaluate([GERMAN], [WRITTEN], tokenisation="none", lowercase=True).scores["bleu"]


def test_two_systems_are_compared_on_the_same_sentences():
    comparison = compare(GERMAN, WRITTEN, GERMAN.references)
    assert comparison["bleu"]["score_b"] == pytest.approx(100)
    assert comparison["num_examples"] == 3
    lines = comparison_as_text({"a": "mine", "b": "people", **comparison}).split("\n")
    assert lines[0] == "A is mine, B is people; 3 sentences, paired bootstrap"
    assert [line.split()[0] for line in lines[1:]] == ["bleu", "chrf", "ter"]
    assert "B 100.00 (100.00 to 100.00)" in lines[1]


def test_translations_of_a_file_are_as_many_as_the_sentences(tmp_path):
    (tmp_path / "out.txt").write_text("eins\n\ndrei\n", encoding="utf-8")
    assert read_translations(tmp_path / "out.txt", GERMAN) == ["eins", "", "drei"]
    with pytest.raises(DataError, match=r"out\.txt has 3 lines and the test set has 1"):
        read_translations(tmp_path / "out.txt", CZECH)
