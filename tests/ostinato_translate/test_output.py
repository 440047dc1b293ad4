import dataclasses
import json

import pytest

from ostinato_translate.inputs import TextInput
from ostinato_translate.output import ALTERNATIVES, SCORES, TRANSLATIONS


@dataclasses.dataclass
class Found:
    """As `Translation`, `Score` and `Alternative`, of which the writers need no more."""

    text: str = ""
    score: float = -0.12345
    log_prob: float = -1.23456
    pieces: tuple[str, ...] = ("\u2581x",)
    num_pieces: int = 3
    piece: str = "\u2581x"


DOG = TextInput("line 1", "A dog.", "Ein Hund.", {"id": 7, "text": "A dog.", "to": "?"})


def test_a_line_holds_nothing_but_the_translation():
    assert TRANSLATIONS["text"](DOG, {"de": [Found("Ein Hund.")]}) == "Ein Hund."
    assert TRANSLATIONS["text"](TextInput("line 2", ""), {"de": [Found("")]}) == ""


def test_several_languages_are_named():
    found = {"de": [Found("Ein Hund.")], "fr": [Found("Un chien.")]}
    assert TRANSLATIONS["text"](DOG, found) == "de: Ein Hund.\nfr: Un chien."


def test_several_translations_stand_below_their_text_with_scores():
    found = [Found("Ein Hund."), Found("Hund.", score=-2)]
    assert TRANSLATIONS["text"](DOG, {"de": found}).split("\n") == [
        "A dog.",
        "  1. Ein Hund.  (score -0.12)",
        "  2. Hund.  (score -2.00)",
    ]
    both = TRANSLATIONS["text"](DOG, {"de": found, "fr": [Found("Un chien.")]})
    assert both.split("\n")[1:2] + both.split("\n")[4:] == [" de", " fr", "  1. Un chien.  (score -0.12)"]


def test_json_has_an_object_for_each_language_and_keeps_the_fields_of_the_input():
    line, other = TRANSLATIONS["json"](DOG, {"de": [Found("Größe")], "fr": [Found("x")]}).split("\n")
    assert "Größe" in line
    record = json.loads(line)
    assert list(record) == ["id", "text", "to", "translations"]
    assert (record["id"], record["text"], record["to"]) == (7, "A dog.", "de")
    assert record["translations"] == [
        {"text": "Größe", "score": -0.1235, "log_prob": -1.2346, "pieces": ["\u2581x"]},
    ]
    assert json.loads(other)["to"] == "fr"


def test_scores_stand_behind_the_translation_that_was_given():
    assert SCORES["text"](DOG, {"de": Found()}) == "Ein Hund.  (score -0.12, log-probability -1.23, 3 pieces)"
    record = json.loads(SCORES["json"](DOG, {"de": Found()}))
    assert (record["translation"], record["score"], record["num_pieces"]) == ("Ein Hund.", -0.1235, 3)


def test_alternatives_have_their_probabilities():
    found = [Found("Ein Hund", log_prob=-0.5), Found("Ein Tier", log_prob=-5)]
    assert ALTERNATIVES["text"](DOG, {"de": found}).split("\n") == [
        "A dog.",
        "  1. Ein Hund  (p 0.61)",
        "  2. Ein Tier  (p 0.0067)",
    ]
    (first, _) = json.loads(ALTERNATIVES["json"](DOG, {"de": found}))["alternatives"]
    assert first == {"text": "Ein Hund", "piece": "\u2581x", "log_prob": pytest.approx(-0.5)}
