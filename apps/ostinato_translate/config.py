"""Every setting of translation, once: the fields are the flags of the command line and the keys of a TOML file."""

from __future__ import annotations

import dataclasses

from ostinato.config import check
from ostinato_translate.languages import language_code


@dataclasses.dataclass(frozen=True)
class PrepareConfig:
    """How parallel text becomes arrays."""

    languages: tuple[str, ...] = ()
    """codes of the languages to learn, two or more; all that the data hold if not given"""
    vocabulary_size: int = 8000
    """pieces of the vocabulary that all languages share, 260 control and byte pieces and one a language included"""
    max_pieces: int = 100
    """longer training sentences are left out (and counted)"""
    max_length_ratio: float = 3.0
    """a training row whose longest sentence is longer than so many times its shortest plus 10 pieces is left out"""
    deduplicate: bool = True
    """keeps only the first of training rows that are alike in all languages; takes some 100 bytes of memory a row"""

    def __post_init__(self) -> None:
        for language in self.languages:
            check(language_code(language) == language, f"languages: {language!r} is no code such as de or pt-br")
        check(len(set(self.languages)) == len(self.languages), "languages: one code is there twice")
        check(len(self.languages) != 1, f"languages must be two or more, is {self.languages[:1]}")
        check(self.vocabulary_size >= 300, f"vocabulary_size must be 300 or more, is {self.vocabulary_size}")
        check(self.max_pieces >= 1, f"max_pieces must be 1 or more, is {self.max_pieces}")
        check(self.max_length_ratio >= 1, f"max_length_ratio must be 1 or more, is {self.max_length_ratio}")
