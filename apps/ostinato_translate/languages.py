"""Languages by their codes, and the control pieces that ask for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # settings check codes, and a command line's help need not wait for SentencePiece
    from ostinato.text import Tokenizer

_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")  # `de`, `pt-br`, `zh-hant`: the form of BCP 47, in lower case


def language_code(name: str) -> str | None:
    """Returns a code in its one form (`pt_BR` is `pt-br`), None where it has not the form of one."""
    code = name.strip().replace("_", "-").lower()
    return code if _CODE.fullmatch(code) else None


def direction_languages(direction: str) -> tuple[str, ...]:
    """Returns source and target of a direction such as `en-de` (`en:pt-br` if a code has a hyphen), or ()."""
    source, _, target = direction.partition(":" if ":" in direction else "-")
    codes = language_code(source), language_code(target)
    if codes[0] is None or codes[1] is None or codes[0] == codes[1]:
        return ()
    return codes[0], codes[1]


def language_token(language: str) -> str:
    """Returns the control piece that asks for a target language, such as `<2de>` (Johnson et al. 2017)."""
    return f"<2{language}>"


def language_ids(tokenizer: Tokenizer, languages: Sequence[str]) -> list[int]:
    """Returns the ids of the control pieces of languages, in their order.

    Raises:
      ModelError: the vocabulary was prepared without one of them.
    """
    return [tokenizer.id_of(language_token(language)) for language in languages]
