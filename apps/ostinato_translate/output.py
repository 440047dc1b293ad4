"""What `predict` prints of a text: its translations, scores or alternatives, for people and as JSON for programs.

Each function gets the text and what was found for each target language.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ostinato_translate.inputs import TextInput

if TYPE_CHECKING:
    from ostinato_translate.translator import Alternative, Score, Translation


def translations_as_text(item: TextInput, found: Mapping[str, Sequence[Translation]]) -> str:
    """A line that holds nothing but the translation; where there are several, the text and a line for each."""
    if all(len(translations) == 1 for translations in found.values()):
        return _lines({language: translations[0].text for language, translations in found.items()})
    return _block(
        item,
        {
            language: [f"{translation.text}  (score {translation.score:.2f})" for translation in translations]
            for language, translations in found.items()
        },
    )


def translations_as_json(item: TextInput, found: Mapping[str, Sequence[Translation]]) -> str:
    """One object a line and language; the fields of the JSON input come first."""
    return _objects(
        item,
        {
            language: {
                "translations": [
                    {
                        "text": translation.text,
                        "score": round(translation.score, 4),
                        "log_prob": round(translation.log_prob, 4),
                        "pieces": list(translation.pieces),
                    }
                    for translation in translations
                ]
            }
            for language, translations in found.items()
        },
    )


def scores_as_text(item: TextInput, found: Mapping[str, Score]) -> str:
    """The translation that was given and its score."""
    return _lines(
        {
            language: f"{item.translation}  (score {score.score:.2f}, log-probability {score.log_prob:.2f}, "
            f"{score.num_pieces} pieces)"
            for language, score in found.items()
        }
    )


def scores_as_json(item: TextInput, found: Mapping[str, Score]) -> str:
    """One object a line and language."""
    return _objects(
        item,
        {
            language: {
                "translation": item.translation,
                "score": round(score.score, 4),
                "log_prob": round(score.log_prob, 4),
                "num_pieces": score.num_pieces,
            }
            for language, score in found.items()
        },
    )


def alternatives_as_text(item: TextInput, found: Mapping[str, Sequence[Alternative]]) -> str:
    """The text, and a line for each way to go on, the most probable first."""
    return _block(
        item,
        {
            language: [f"{each.text}  (p {math.exp(each.log_prob):.2g})" for each in alternatives]
            for language, alternatives in found.items()
        },
    )


def alternatives_as_json(item: TextInput, found: Mapping[str, Sequence[Alternative]]) -> str:
    """One object a line and language."""
    return _objects(
        item,
        {
            language: {
                "alternatives": [
                    {"text": each.text, "piece": each.piece, "log_prob": round(each.log_prob, 4)}
                    for each in alternatives
                ]
            }
            for language, alternatives in found.items()
        },
    )


TRANSLATIONS: dict[str, Callable[..., str]] = {"text": translations_as_text, "json": translations_as_json}
SCORES: dict[str, Callable[..., str]] = {"text": scores_as_text, "json": scores_as_json}
ALTERNATIVES: dict[str, Callable[..., str]] = {"text": alternatives_as_text, "json": alternatives_as_json}


def _lines(lines: Mapping[str, str]) -> str:
    """A line for each language, which is named where there are several."""
    if len(lines) == 1:
        return next(iter(lines.values()))
    return "\n".join(f"{language}: {line}" for language, line in lines.items())


def _block(item: TextInput, numbered: Mapping[str, Sequence[str]]) -> str:
    parts = [str(item.text)]
    for language, lines in numbered.items():
        if len(numbered) > 1:
            parts.append(f" {language}")
        parts += [f"  {number}. {line}" for number, line in enumerate(lines, start=1)]
    return "\n".join(parts)


def _objects(item: TextInput, found: Mapping[str, dict[str, Any]]) -> str:
    return "\n".join(
        json.dumps({**item.fields, "text": item.text, "to": language, **fields}, ensure_ascii=False)
        for language, fields in found.items()
    )
