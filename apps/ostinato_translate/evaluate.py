"""Scores what a model really writes against translations by people, and compares two systems."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ostinato.errors import ConfigError, InputError
from ostinato.metrics import chrf_each, compare_translations, score_translations
from ostinato.metrics.translations import DEFAULT_TOKENISATION
from ostinato_translate.config import DecodingConfig
from ostinato_translate.lines import read_lines
from ostinato_translate.sentence_pairs import SentencePairs, check_lengths

if TYPE_CHECKING:
    from ostinato_translate.translator import Translator

_SCORES = ("bleu", "chrf", "ter")
OnError = Callable[[InputError], None]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How well a model translates."""

    scores: dict[str, Any]
    """by name on the scale 0 to 100; of several directions the means, and each in `directions`"""
    translations: list[dict[str, Any]]
    """of each sentence its direction, what was written and what people wrote, and its chrF"""


def translate_pairs(
    translator: Translator,
    pairs: SentencePairs,
    decoding: DecodingConfig,
    *,
    on_error: OnError = lambda error: None,
    on_sentence: Callable[[], None] = lambda: None,
) -> list[str]:
    """Returns the best translation of each source sentence; an empty one of a sentence that cannot be translated.

    Args:
      translator: the model.
      pairs: sentences, whose references are not looked at.
      decoding: how to search.
      on_error: told of each sentence that cannot be translated. It still counts: a score must not rise by it.
      on_sentence: called after each sentence.

    Raises:
      ConfigError: the model does not know one of the languages.
    """
    check_languages(translator, pairs)
    written = []
    results = translator.translate_each(pairs.sources, pairs.target_language, decoding=decoding)
    for number, (_, result) in enumerate(results, start=1):
        if isinstance(result, InputError):
            on_error(InputError(f"{pairs.name}, sentence {number}: {result}; it counts as an empty translation"))
        written.append("" if isinstance(result, InputError) else result[0].text)
        on_sentence()
    return written


def check_languages(translator: Translator, pairs: SentencePairs) -> None:
    """Raises ConfigError where the model does not know the languages; it may try directions that it has not learned."""
    translator.target_language(pairs.target_language)
    if pairs.source_language not in translator.languages:
        known = ", ".join(translator.languages)
        raise ConfigError(f"the model does not translate from {pairs.source_language!r}; it knows {known}")


def evaluate(
    pairs: Sequence[SentencePairs],
    written: Sequence[Sequence[str]],
    *,
    lowercase: bool = False,
    tokenisation: str = DEFAULT_TOKENISATION,
) -> Evaluation:
    """Scores translations.

    Args:
      pairs: sentences of one direction or several.
      written: the translations of each.
      lowercase: see `score_translations`.
      tokenisation: see `score_translations`.
    """
    by_direction, translations = {}, []
    for one, hypotheses in zip(pairs, written, strict=True):
        scores = score_translations(hypotheses, one.references, lowercase=lowercase, tokenisation=tokenisation)
        by_direction[one.name] = scores.to_dict()
        each = chrf_each(hypotheses, one.references)
        translations += [
            {
                "direction": one.name,
                "source": source,
                "translation": text,
                "chrf": round(chrf, 1),
                "reference": reference,
            }
            for source, text, chrf, reference in zip(one.sources, hypotheses, each, one.references, strict=True)
        ]
    return Evaluation(_summary(by_direction), translations)


def _summary(by_direction: dict[str, dict[str, Any]]) -> dict[str, Any]:
    first = next(iter(by_direction.values()))
    signatures = {
        "signature": first["bleu_signature"],
        **{key: first[key] for key in ("chrf_signature", "ter_signature")},
    }
    if len(by_direction) == 1:
        return {**{name: first[name] for name in (*_SCORES, "num_examples")}, **signatures}
    return {
        **{name: statistics.fmean(scores[name] for scores in by_direction.values()) for name in _SCORES},
        "num_examples": sum(scores["num_examples"] for scores in by_direction.values()),
        **signatures,
        "directions": {
            direction: {name: scores[name] for name in (*_SCORES, "num_examples")}
            for direction, scores in by_direction.items()
        },
    }


def compare(
    pairs: SentencePairs,
    written_a: Sequence[str],
    written_b: Sequence[str],
    *,
    lowercase: bool = False,
    tokenisation: str = DEFAULT_TOKENISATION,
) -> dict[str, Any]:
    """Returns the scores of two systems, their intervals and how likely chance alone would make such a difference."""
    comparison = compare_translations(
        written_a, written_b, pairs.references, lowercase=lowercase, tokenisation=tokenisation
    )
    return comparison.to_dict()


def read_translations(path: Path, pairs: SentencePairs) -> list[str]:
    """Reads translations that any system wrote, a line each.

    Raises:
      DataError: there are not as many as sentences, or the file cannot be read.
    """
    translations = list(read_lines(path))
    check_lengths(path, len(translations), Path("the test set"), len(pairs.references))
    return translations


def scores_as_figures(scores: dict[str, Any]) -> dict[str, Any]:
    """Returns scores with a line for each direction, for a table."""
    return {**scores.get("directions", {}), **{name: value for name, value in scores.items() if name != "directions"}}


def comparison_as_text(comparison: dict[str, Any]) -> str:
    """Returns a few lines for people, with the names of the systems in `a` and `b`."""
    lines = [
        f"A is {comparison['a']}, B is {comparison['b']}; {comparison['num_examples']} sentences, paired bootstrap"
    ]
    for name in _SCORES:
        of = comparison[name]
        a, b = (
            f"{of[f'score_{each}']:.2f} ({of[f'interval_{each}'][0]:.2f} to {of[f'interval_{each}'][1]:.2f})"
            for each in "ab"
        )
        lines.append(f"{name:5} A {a}  B {b}  p {of['p_value']:.3f}")
    return "\n".join(lines)
