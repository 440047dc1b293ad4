import dataclasses
from typing import Any

import pytest

from ostinato.errors import InputError
from ostinato_translate.config import DecodingConfig
from ostinato_translate.inputs import TextInput
from ostinato_translate.predicting import alternatives_of_inputs, answers, score_inputs, translate_inputs


@dataclasses.dataclass
class Shouting:
    """Stands in for a translator: the translation is the text in capitals, with the language before it."""

    calls: int = 0

    def translate_each(self, texts, to, *, decoding, prefix):
        for text, language in zip(texts, to, strict=False):
            if isinstance(text, InputError) or "long" in text:
                yield text, text if isinstance(text, InputError) else InputError("is too long")
            else:
                yield text, [f"{language} {prefix}{text.upper()}"] * decoding.num_translations

    def score(self, texts, translations, to):
        self.calls += 1
        if any("long" in text for text in texts):
            raise InputError("is too long")
        return [f"{language} {text} {given}" for text, given, language in zip(texts, translations, to, strict=True)]

    def alternatives(self, text, to, prefix, *, num):
        if "long" in text:
            raise InputError("is too long")
        return [f"{to} {prefix} {number}" for number in range(num)]


def shouting() -> Any:
    return Shouting()


FAULT = InputError("line 2 is no UTF-8")
ITEMS = [TextInput("line 1", "a", "x"), TextInput("line 2", FAULT), TextInput("line 3", "b", "y")]
TOO_LONG = TextInput("line 4", "long", "z")


def test_each_text_comes_with_all_its_languages_in_order():
    results = translate_inputs(shouting(), iter(ITEMS), ["de", "fr"], DecodingConfig(), "")
    assert list(results) == [
        (ITEMS[0], {"de": ["de A"], "fr": ["fr A"]}),
        (ITEMS[1], FAULT),
        (ITEMS[2], {"de": ["de B"], "fr": ["fr B"]}),
    ]


def test_a_text_that_cannot_be_translated_does_not_stop_the_others():
    items = [ITEMS[0], TOO_LONG, ITEMS[2]]
    decoding = DecodingConfig(num_translations=2)
    results = list(translate_inputs(shouting(), items, ["de"], decoding, "Z"))
    assert [item for item, _ in results] == items
    assert isinstance(results[1][1], InputError)
    assert results[2][1] == {"de": ["de ZB", "de ZB"]}


def test_scores_come_with_their_texts():
    translator = shouting()
    results = list(score_inputs(translator, iter(ITEMS), ["de", "fr"]))
    assert [found for _, found in results] == [
        {"de": "de a x", "fr": "fr a x"},
        FAULT,
        {"de": "de b y", "fr": "fr b y"},
    ]
    assert translator.calls == 1


def test_a_text_that_cannot_be_scored_is_found_among_the_others():
    results = list(score_inputs(shouting(), [ITEMS[0], TOO_LONG, *ITEMS[1:]], ["de"]))
    assert [isinstance(found, InputError) for _, found in results] == [False, True, True, False]
    assert results[3] == (ITEMS[2], {"de": "de b y"})


def test_alternatives_come_with_their_texts():
    results: list[Any] = list(alternatives_of_inputs(shouting(), [*ITEMS, TOO_LONG], ["de"], "Ein", 2))
    assert results[0] == (ITEMS[0], {"de": ["de Ein 0", "de Ein 1"]})
    assert [isinstance(found, InputError) for _, found in results] == [False, True, False, True]


@pytest.mark.parametrize(("keeps_lines", "printed"), [(True, ["A", "", "C"]), (False, ["A", "C"])])
def test_a_line_that_failed_is_told_of_and_leaves_its_place_empty_where_lines_are_to_match(keeps_lines, printed):
    items = [TextInput(name, name, is_line=name != "d") for name in "abcd"]
    fault = InputError("is too long")
    results: list[Any] = [(items[0], "A"), (items[1], fault), (items[2], "C"), (items[3], fault)]
    told = []
    lines = answers(
        results, lambda item, found: found, on_error=lambda *error: told.append(error), keeps_lines=keeps_lines
    )
    assert list(lines) == printed
    assert told == [(fault, "b"), (fault, "d")]
