"""Translations for a Python user: sentences in, sentences out, by an exported model."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ostinato.errors import ConfigError, InputError
from ostinato.export import load_model
from ostinato.export.dtypes import as_array
from ostinato.export.settings import setting_arrays
from ostinato.serving.served_model import served_model
from ostinato.text import Tokenizer
from ostinato_translate.config import DecodingConfig
from ostinato_translate.languages import language_code
from ostinato_translate.planning import Planner, Sentence, batches_by_length
from ostinato_translate.translation import EMPTY, Alternative, Score, Translation, joined, translations_of

if TYPE_CHECKING:
    from ostinato.export import Model

SHIPPED_MODEL = "translate"
TEXTS_AT_ONCE = 1000
# Of the source, padding counted. More are no faster: 1,000 captions take 11.4 s by 1,500 and 10.3 s by 3,000 or 6,000.
_PIECES_PER_BATCH = 3000

Request = tuple[str | InputError, str, str]  # text, target language, prefix
Row = TypeVar("Row")
Result = list[Translation] | InputError


class Translator:
    """Translates with an exported model. Nothing but TensorFlow runs: no Keras, no training code.

        translator = Translator.load()
        [[translation]] = translator.translate("Two dogs run through the snow.", to="de")
        print(translation.text, translation.score)

    The language of a text need not be said, the network tells it by itself; `directions` are those it has learned.
    What a text is translated to never depends on the texts beside it.

    Args:
      model: what `ostinato.export.load_model` or `ostinato.serving.served_model` returned.
    """

    def __init__(self, model: Model):
        self.model = model
        self._tokenizer = Tokenizer.load(model.assets["tokenizer.model"])
        facts = model.metadata
        self._planner = Planner(self._tokenizer, facts["max_pieces"], facts["max_source_pieces"])

    @classmethod
    def load(cls, model: str | Path | None = None, *, server: str | None = None) -> Translator:
        """Loads an exported folder (with or without its version) or a shipped model by name; else the one that ships.

        Args:
          model: what is loaded.
          server: address of a server that computes instead, see `ostinato.serving.served_model`; of the model's folder
            here only its facts are read.

        Raises:
          ModelError: there is no such model, it is damaged, or it writes no translations.
          ServerError: the address is none.
        """
        name = SHIPPED_MODEL if model is None else model
        loaded = load_model(name) if server is None else served_model(name, server)
        loaded.check_application("ostinato_translate", "translations")
        loaded.check_settings(DecodingConfig)
        return cls(loaded)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that the model knows."""
        return tuple(self.model.metadata["languages"])

    @property
    def directions(self) -> tuple[tuple[str, str], ...]:
        """Pairs of source and target language that the model has learned."""
        return tuple((source, target) for source, target in self.model.metadata["directions"])

    @property
    def decoding(self) -> DecodingConfig:
        """The settings that the model was exported with."""
        return DecodingConfig(**self.model.metadata["decoding"])

    def translate(
        self,
        texts: str | Sequence[str],
        to: str | Sequence[str],
        *,
        decoding: DecodingConfig | None = None,
        prefix: str | Sequence[str] | None = None,
    ) -> list[list[Translation]]:
        """Translates texts.

        A text of more pieces than the sentences that the network learned from (`max_pieces` in the model's facts) is
        split into sentences, if it has several: `Translation.num_sentences` tells. Nothing is ever cut off.

        Args:
          texts: one text or several.
          to: code of the target language, of all texts or of each.
          decoding: how to search; the model's own settings if not given.
          prefix: what every translation is to begin with, of all texts or of each. Whole words do best.

        Returns:
          For each text its translations, best first; for one without any character an empty one.

        Raises:
          InputError: a text cannot be translated. `translate_each` goes on with the others.
          ConfigError: the model does not write the language, or the search is to return more than it keeps.
        """
        texts = [texts] if isinstance(texts, str) else texts
        results: list[list[Translation]] = []
        for _, result in self.translate_each(texts, to, decoding=decoding, prefix=prefix):
            if isinstance(result, InputError):
                raise result
            results.append(result)
        return results

    def translate_each(
        self,
        texts: Iterable[str | InputError],
        to: str | Iterable[str],
        *,
        decoding: DecodingConfig | None = None,
        prefix: str | Iterable[str] | None = None,
        texts_at_once: int = TEXTS_AT_ONCE,
    ) -> Iterator[tuple[str | InputError, Result]]:
        """Yields each text with its translations, or with what is wrong with it, in order.

        So many texts as `texts_at_once` says are read, sorted by length and translated before the first of them is
        yielded. The other arguments are as in `translate`; an error that stands in the place of a text is passed on.
        """
        settings = request_settings(decoding or self.decoding)
        if isinstance(to, str):
            self.target_language(to)  # at once, not in place of every text
        requests = ((text, target, start) for (text, target), start in _beside(_beside(texts, to), prefix or ""))
        return self._translate_in_windows(requests, settings, texts_at_once)

    def score(
        self, texts: str | Sequence[str], translations: str | Sequence[str], to: str | Sequence[str]
    ) -> list[Score]:
        """Says how probable given translations are.

        Args:
          texts: one text or several.
          translations: one of each text.
          to: code of the language they are in, of all or of each.

        Raises:
          InputError: a text is too long; there are more texts than translations, or the other way round.
          ConfigError: the model does not write the language.
        """
        texts = [texts] if isinstance(texts, str) else texts
        translations = [translations] if isinstance(translations, str) else translations
        if len(texts) != len(translations):
            raise InputError(f"there are {len(texts)} texts and {len(translations)} translations; give one of each")
        sentences = [
            self._planner.whole(text, self.target_language(target), translation)
            for (text, translation), target in _beside(_beside(texts, translations), to)
        ]
        scores: dict[int, Score] = {}
        for places in batches_by_length(sentences, _PIECES_PER_BATCH):
            outputs = self._ask("score", [sentences[place] for place in places], "translation", {})
            columns = (outputs[name].tolist() for name in ("log_probs", "scores", "num_pieces"))
            scores |= {place: Score(*row) for place, row in zip(places, zip(*columns, strict=True), strict=True)}
        return [scores[place] for place in range(len(sentences))]

    def alternatives(self, text: str, to: str, prefix: str = "", *, num: int = 5) -> list[Alternative]:
        """Says what may stand behind the beginning of a translation, the most probable first.

        To see how the translation would go on, translate with `Alternative.text` for a prefix.

        Args:
          text: the text.
          to: code of the target language.
          prefix: what has been written so far.
          num: how many are wanted.

        Raises:
          InputError: the text is too long, or more are wanted than the vocabulary has pieces for.
          ConfigError: the model does not write the language.
        """
        most = self._tokenizer.size // 2  # far fewer are never written, such as control pieces
        if not 1 <= num <= most:
            raise InputError(f"{num} alternatives cannot be shown; ask for 1 to {most}")
        sentence = self._planner.whole(text, self.target_language(to), prefix)
        outputs = self._ask("next_pieces", [sentence], "prefix", {"num_alternatives": np.array(num, np.int32)})
        rows = zip(*(outputs[name][0].tolist() for name in ("texts", "pieces", "log_probs")), strict=True)
        return [Alternative(whole.decode(), piece.decode(), log_prob) for whole, piece, log_prob in rows]

    def target_language(self, to: str) -> str:
        """Returns the code of a target language as the model has it.

        Raises:
          ConfigError: the model does not write it.
        """
        code = language_code(to)
        targets = {target for _, target in self.directions}
        if code not in targets:
            known = ", ".join(language for language in self.languages if language in targets)
            raise ConfigError(f"the model does not translate into {to!r}; it knows {known}")
        return code

    def _translate_in_windows(
        self, requests: Iterator[Request], settings: Mapping[str, Any], texts_at_once: int
    ) -> Iterator[tuple[str | InputError, Result]]:
        while window := list(itertools.islice(requests, texts_at_once)):
            plans = [self._plan(*request) for request in window]
            sentences = [sentence for plan in plans if not isinstance(plan, InputError) for sentence in plan]
            translated = iter(self._translate_sentences(sentences, settings))
            for (text, _, _), plan in zip(window, plans, strict=True):
                if isinstance(plan, InputError):
                    yield text, plan
                elif not plan:
                    yield text, [EMPTY]
                else:
                    found = [next(translated) for _ in plan]
                    yield text, found[0] if len(found) == 1 else joined(found)

    def _plan(self, text: str | InputError, to: str, prefix: str) -> list[Sentence] | InputError:
        """Returns the sentences that a text is translated in, or what is wrong with it."""
        if isinstance(text, InputError):
            return text
        try:
            return self._planner.sentences(text, self.target_language(to), prefix)
        except InputError as error:
            return error
        except ConfigError as error:
            return InputError(str(error))

    def _translate_sentences(
        self, sentences: Sequence[Sentence], settings: Mapping[str, Any]
    ) -> list[list[Translation]]:
        results: dict[int, list[Translation]] = {}
        for places in batches_by_length(sentences, _PIECES_PER_BATCH):
            outputs = self._ask("beam_search", [sentences[place] for place in places], "prefix", settings)
            for row, place in enumerate(places):
                of_sentence = {name: array[row] for name, array in outputs.items()}
                results[place] = translations_of(of_sentence, sentences[place].text)
        return [results[place] for place in range(len(sentences))]

    def _ask(
        self, signature: str, sentences: Sequence[Sentence], last_input: str, settings: Mapping[str, Any]
    ) -> dict[str, np.ndarray]:
        texts = {
            "text": [sentence.text for sentence in sentences],
            "target_language": [sentence.to for sentence in sentences],
            last_input: [sentence.written for sentence in sentences],
        }
        return self.model.call(
            signature, {**{name: as_array(each, "string") for name, each in texts.items()}, **settings}
        )


def request_settings(decoding: DecodingConfig) -> dict[str, Any]:
    """Returns the settings of a search as inputs (scalars, one for the whole batch).

    Raises:
      ConfigError: the search is to return more translations than it keeps.
    """
    decoding.check_search()
    return setting_arrays(decoding)


def _beside(rows: Iterable[Row], given: str | Iterable[str]) -> Iterator[tuple[Row, str]]:
    """Yields each row with the string that is given for it, or for all."""
    strings = itertools.repeat(given) if isinstance(given, str) else iter(given)
    for row in rows:
        string = next(strings, None)
        if string is None:
            raise InputError("there are fewer target languages or prefixes than texts; give one, or one of each")
        yield row, string
