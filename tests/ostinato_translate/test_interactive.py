import dataclasses
import io
import sys
from typing import Any

import pytest

from ostinato.commands.signals import Terminated
from ostinato.errors import ConfigError, InputError
from ostinato_translate.config import DecodingConfig
from ostinato_translate.interactive import Conversation, converse


@dataclasses.dataclass
class Found:
    text: str
    score: float = -1
    log_prob: float = -1


class Shouting:
    """Stands in for a translator: the translation is the text in capitals, with the language before it."""

    def translate_each(self, texts, to, *, decoding, prefix):
        decoding.check_search()
        for text, language in zip(texts, to, strict=False):
            if text == "long":
                yield text, InputError("is too long")
            else:
                yield text, [Found(f"{language} {prefix}{text.upper()}")] * decoding.num_translations

    def alternatives(self, text, to, prefix, *, num):
        return [Found(f"{prefix} {text} {number}") for number in range(num)]

    def target_language(self, to):
        if to not in ("de", "fr"):
            raise ConfigError(f"the model does not translate into {to!r}; it knows de, fr")
        return to


@pytest.fixture
def conversation():
    translator: Any = Shouting()
    return Conversation(translator, ["de"], DecodingConfig())


def test_a_line_is_translated(conversation):
    assert conversation.prompt == "de> "
    assert conversation.answer("  a dog \n") == "de A DOG"
    assert conversation.answer("") == conversation.answer(" \t") == ""


def test_languages_number_and_beginning_can_be_changed(conversation):
    assert conversation.answer(":to fr, de") == "translating into fr, de"
    assert conversation.prompt == "fr,de> "
    assert conversation.answer("a") == "fr: fr A\nde: de A"
    assert conversation.answer(":to") == "translating into fr, de"
    assert conversation.answer(":to de") == "translating into de"
    assert conversation.answer(":prefix Ein ") == "every translation begins with 'Ein'"
    assert conversation.answer("a") == "de EinA"
    assert conversation.answer(":prefix") == "translations begin as they like"
    assert conversation.answer(":best 7") == "showing 7 of each"
    assert conversation.answer("a").count("\n") == 7


def test_the_last_line_can_be_looked_at_more_closely(conversation):
    assert conversation.answer(":next Ein") == "give a line first"
    conversation.answer("dog")
    assert conversation.answer(":next Ein").split("\n")[:2] == ["dog", "  1. Ein dog 0  (p 0.37)"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (":to xx", "does not translate into 'xx'; it knows de, fr"),
        (":best many", "say how many"),
        (":best 0", "--num-translations 0 is not within"),
        (":best 101", "--beam-width 101 is not within"),
        (":swim", "there is no command :swim"),
        (":help", ":quit"),
        ("long", "this line is too long"),
        ("\udcff", "is no UTF-8"),
        (":) she laughs", "de :) SHE LAUGHS"),
        ("\x00\x07", "de \x00\x07"),
    ],
)
def test_whatever_is_given_is_answered_and_the_next_line_is_translated(conversation, line, said):
    assert said in conversation.answer(line)
    assert conversation.answer("a") == "de A"


def talk(conversation, monkeypatch, content):
    written: list[str] = []
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
    converse(conversation, written.append)
    return written


def test_lines_may_come_from_a_pipe_until_it_ends_or_says_so(conversation, monkeypatch):
    assert talk(conversation, monkeypatch, b"a\n\n\xff\nb\n") == [
        "de A",
        "",
        "this line is no UTF-8; set the terminal to it",
        "de B",
    ]
    assert talk(conversation, monkeypatch, b"a\n:quit\nb\n") == ["de A"]


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


def interrupted(error):
    """Returns an `input` that gives a line, is interrupted, gives another and ends."""
    steps = iter(["a", error, "b", EOFError()])

    def read(prompt):
        step = next(steps)
        if isinstance(step, BaseException):
            raise step
        return step

    return read


def test_an_interrupt_takes_back_a_line_and_a_termination_ends(conversation, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO(b"")))
    written: list[str] = []
    monkeypatch.setattr("builtins.input", interrupted(KeyboardInterrupt()))
    converse(conversation, written.append)
    assert written[1:] == ["de A", "", "de B"]
    monkeypatch.setattr("builtins.input", interrupted(Terminated()))
    with pytest.raises(Terminated):
        converse(conversation, written.append)


def test_what_was_said_is_kept_for_the_next_time(conversation, monkeypatch, tmp_path):
    readline = pytest.importorskip("readline")
    readline.clear_history()
    readline.add_history("two dogs")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO(b"")))
    monkeypatch.setattr("builtins.input", interrupted(EOFError()))
    converse(conversation, lambda text: None)
    assert "two" in (tmp_path / "ostinato" / "translate_history").read_text()
    readline.clear_history()
    monkeypatch.setattr("builtins.input", interrupted(EOFError()))
    converse(conversation, lambda text: None)
    assert readline.get_history_item(readline.get_current_history_length()) == "two dogs"
    readline.clear_history()
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))  # cannot be written, which is no fault
    monkeypatch.setattr("builtins.input", interrupted(EOFError()))
    converse(conversation, lambda text: None)
