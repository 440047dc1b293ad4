"""The answers of a model to what `predict` was given, input by input, in order."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ostinato.errors import InputError
from ostinato_translate.config import DecodingConfig
from ostinato_translate.inputs import TextInput

if TYPE_CHECKING:
    from ostinato_translate.translator import Alternative, Score, Translation, Translator

_SCORED_AT_ONCE = 200


def answers(
    results: Iterable[tuple[TextInput, Mapping[str, Any] | InputError]],
    write: Callable[..., str],
    *,
    on_error: Callable[[InputError, str], None],
    keeps_lines: bool,
) -> Iterator[str]:
    """Yields what is to be printed of each input.

    Args:
      results: as the functions below yield them.
      write: makes the text of what was found.
      on_error: told of each input that failed, and its name.
      keeps_lines: a line that failed becomes an empty one, so that lines read and lines written keep matching.
    """
    for item, found in results:
        if not isinstance(found, InputError):
            yield write(item, found)
            continue
        on_error(found, item.name)
        if item.is_line and keeps_lines:
            yield ""


def translate_inputs(
    translator: Translator, inputs: Iterable[TextInput], languages: Sequence[str], decoding: DecodingConfig, prefix: str
) -> Iterator[tuple[TextInput, Mapping[str, list[Translation]] | InputError]]:
    """Yields each input with its translations into each language, or with what is wrong with it.

    Args:
      translator: the model.
      inputs: read as they are needed.
      languages: codes of the target languages.
      decoding: how to search.
      prefix: what every translation is to begin with.
    """
    waiting: deque[TextInput] = deque()

    def texts() -> Iterator[str | InputError]:
        for item in inputs:
            waiting.append(item)
            yield from itertools.repeat(item.text, len(languages))

    results = translator.translate_each(texts(), itertools.cycle(languages), decoding=decoding, prefix=prefix)
    while group := [result for _, result in itertools.islice(results, len(languages))]:
        error = next((result for result in group if isinstance(result, InputError)), None)
        found = {
            language: result
            for language, result in zip(languages, group, strict=True)
            if not isinstance(result, InputError)
        }
        yield waiting.popleft(), error or found


def score_inputs(
    translator: Translator, inputs: Iterable[TextInput], languages: Sequence[str]
) -> Iterator[tuple[TextInput, Mapping[str, Score] | InputError]]:
    """Yields each input with the score of the translation that was given, in each language."""
    remaining = iter(inputs)
    while items := list(itertools.islice(remaining, _SCORED_AT_ONCE)):
        yield from _score(translator, items, languages)


def _score(
    translator: Translator, items: Sequence[TextInput], languages: Sequence[str]
) -> Iterator[tuple[TextInput, Mapping[str, Score] | InputError]]:
    good = [item for item in items if not isinstance(item.text, InputError)]
    try:
        scores = iter(
            translator.score(
                [str(item.text) for item in good for _ in languages],
                [item.translation for item in good for _ in languages],
                [*languages] * len(good),
            )
        )
    except InputError as error:
        if len(items) == 1:
            yield items[0], error
        else:  # find out which
            yield from itertools.chain.from_iterable(_score(translator, [item], languages) for item in items)
        return
    for item in items:
        yield item, item.text if isinstance(item.text, InputError) else {each: next(scores) for each in languages}


def alternatives_of_inputs(
    translator: Translator, inputs: Iterable[TextInput], languages: Sequence[str], prefix: str, num: int
) -> Iterator[tuple[TextInput, Mapping[str, list[Alternative]] | InputError]]:
    """Yields each input with the most probable ways to go on after the prefix, in each language."""
    for item in inputs:
        if isinstance(item.text, InputError):
            yield item, item.text
            continue
        try:
            yield item, {each: translator.alternatives(item.text, each, prefix, num=num) for each in languages}
        except InputError as error:
            yield item, error
