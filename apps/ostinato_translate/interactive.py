"""`predict --interactive`: a line in, its translations out, until the user has had enough."""

from __future__ import annotations

import dataclasses
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ostinato.commands.signals import Terminated
from ostinato.errors import InputError, UserError
from ostinato_translate.config import DecodingConfig
from ostinato_translate.inputs import TextInput
from ostinato_translate.output import alternatives_as_text, translations_as_text
from ostinato_translate.predicting import alternatives_of_inputs, translate_inputs

if TYPE_CHECKING:
    from ostinato_translate.translator import Translator

_HISTORY_LENGTH = 1000  # lines
_HELP = """\
A line is translated. Lines that begin with a colon are commands:
  :to de,fr       changes the target languages
  :best 3         shows so many translations of each line, with scores
  :prefix Ein     lets every translation begin so; without a text, as it likes
  :next Ein Hund  shows how the translation of the last line may go on after that
  :help           shows this
  :quit           ends, as Ctrl-D does"""


class Conversation:
    """Answers line by line.

    Args:
      translator: the model.
      languages: codes of the target languages to begin with.
      decoding: how to search.
      prefix: what every translation is to begin with.
    """

    def __init__(self, translator: Translator, languages: Sequence[str], decoding: DecodingConfig, prefix: str = ""):
        self.translator, self.languages, self.decoding, self.prefix = translator, list(languages), decoding, prefix
        self._last = ""
        self._commands: dict[str, Callable[[str], str]] = {
            "to": self._to,
            "best": self._best,
            "prefix": self._prefix,
            "next": self._next,
            "help": lambda argument: _HELP,
        }

    @property
    def prompt(self) -> str:
        """Such as `de,fr> `."""
        return f"{','.join(self.languages)}> "

    def answer(self, line: str) -> str:
        """Returns the translations of a line, or what a command says. What is wrong with a line is said, too."""
        line = line.strip()
        if not line:
            return ""
        try:
            line.encode()
            if line.startswith(":") and line[1:2].isalpha():
                name, _, argument = line[1:].partition(" ")
                if name not in self._commands:
                    return f"there is no command :{name}; :help shows those there are"
                return self._commands[name](argument.strip())
            self._last = line
            return self._translate(line)
        except UnicodeEncodeError:  # bytes that are none reach Python as lone surrogates
            return "this line is no UTF-8; set the terminal to it"
        except UserError as error:
            return str(error)

    def _translate(self, line: str) -> str:
        inputs = [TextInput("this line", line)]
        ((item, found),) = translate_inputs(self.translator, inputs, self.languages, self.decoding, self.prefix)
        return f"this line {found}" if isinstance(found, InputError) else translations_as_text(item, found)

    def _to(self, argument: str) -> str:
        self.languages = [self.translator.target_language(each) for each in argument.replace(",", " ").split()] or (
            self.languages
        )
        return f"translating into {', '.join(self.languages)}"

    def _best(self, argument: str) -> str:
        if not argument.isdecimal():
            return "say how many, such as :best 3"
        number = int(argument)
        width = max(self.decoding.beam_width, number)
        self.decoding = dataclasses.replace(self.decoding, num_translations=number, beam_width=width)
        return f"showing {number} of each"

    def _prefix(self, argument: str) -> str:
        self.prefix = argument
        return f"every translation begins with {argument!r}" if argument else "translations begin as they like"

    def _next(self, argument: str) -> str:
        if not self._last:
            return "give a line first"
        inputs = [TextInput("this line", self._last)]
        ((item, found),) = alternatives_of_inputs(self.translator, inputs, self.languages, argument, 5)
        return f"this line {found}" if isinstance(found, InputError) else alternatives_as_text(item, found)


def converse(conversation: Conversation, write: Callable[[str], None]) -> None:
    """Answers what comes from standard input until it ends or says `:quit`. Ctrl-C takes back a line.

    Args:
      conversation: gives the answers.
      write: shows a line or several.
    """
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="surrogateescape")  # one line that is no UTF-8 is no reason to end
    is_terminal = sys.stdin.isatty()
    with _line_history() if is_terminal else nullcontext():
        if is_terminal:
            write(":help shows the commands, Ctrl-D ends")
        while True:
            try:
                line = input(conversation.prompt if is_terminal else "")
                if line.strip() == ":quit":
                    return
                answer = conversation.answer(line)
                if answer or not is_terminal:
                    write(answer)
            except EOFError:
                return
            except Terminated:
                raise
            except KeyboardInterrupt:
                if not is_terminal:
                    raise
                write("")


@contextmanager
def _line_history() -> Iterator[None]:
    """Lets lines be edited and earlier ones be called back, those of earlier conversations too."""
    try:
        readline = importlib.import_module("readline")
    except ImportError:  # not on every system
        yield
        return
    state = os.environ.get("XDG_STATE_HOME")  # the XDG Base Directory Specification
    path = (Path(state) if state else Path.home() / ".local" / "state") / "ostinato" / "translate_history"
    with suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        with suppress(OSError):  # a home that cannot be written is no reason to fail
            path.parent.mkdir(parents=True, exist_ok=True)
            readline.set_history_length(_HISTORY_LENGTH)
            readline.write_history_file(path)
