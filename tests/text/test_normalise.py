import sys
import unicodedata

import pytest

from ostinato.text import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  ", ""),
        ("\x00\x1b\t", ""),
        (" a  b\t\r\nc ", "a b c"),
        ("a\x00b\x07\x7fc", "a b c"),
        ("a\u00a0\u2009b\u2028c\u3000", "a b c"),
        ("caf\u0065\u0301", "caf\u00e9"),
        ("\ud800a\udfff", "\ufffda\ufffd"),
        ("👩‍👩‍👧‍👦 🏳️‍🌈", "👩‍👩‍👧‍👦 🏳️‍🌈"),
        ("ﬁ ½ ™ \uff21", "ﬁ ½ ™ \uff21"),  # compatible is not the same
        ("\u2581", "\u2581"),
        ("mi\u00adte", "mi\u00adte"),
    ],
)
def test_texts_are_normalised(text, expected):
    assert normalise(text) == expected


def test_normalising_twice_is_normalising_once(hard_text):
    assert normalise(normalise(hard_text)) == normalise(hard_text)


def test_what_is_normalised_can_be_written_and_is_composed(hard_text):
    text = normalise(hard_text + "\udcff")
    assert text.encode().decode() == unicodedata.normalize("NFC", text) == text


def test_every_space_and_every_control_character_becomes_a_space_and_no_other_character_does():
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        is_space = character.isspace() or unicodedata.category(character) in {"Cc", "Zs", "Zl", "Zp"}
        assert (normalise(f"a{character}b") == "a b") == is_space, hex(number)
