"""The one normalisation of text that is to be translated.

Vocabularies are learned without any normalisation of their own (`train_sentencepiece`), so text is normalised here,
once, before training and before translating, and is then the same for the tokenizer in Python and for the graph's.
"""

from __future__ import annotations

import re
import unicodedata

# What Python calls a space and what Unicode calls a control character (categories Z and Cc), by code point. Python's
# `re` and TensorFlow's RE2 read the class alike, which they do not do with `\s`. Joiners of emoji and marks that set
# the direction of writing (category Cf) carry meaning and are not among them.
SPACES_AND_CONTROLS = r"[\x00-\x20\x7f-\xa0" + "\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
REPLACEMENT = "\ufffd"

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES_AND_CONTROLS = re.compile(SPACES_AND_CONTROLS)


def normalise(text: str) -> str:
    """Returns a text as translation reads it.

    Characters are composed (Unicode normalisation form C), runs of spaces and control characters become one space,
    with none at the ends, and surrogates, which no UTF-8 can hold, become U+FFFD.

    `graph_normalise` does the same in a TensorFlow graph, but for the composing of characters, for which core
    TensorFlow has no operation: an exported model that is to get decomposed text gets it normalised by this.

    Reference: Unicode Standard Annex 15, Unicode Normalization Forms.
    """
    text = unicodedata.normalize("NFC", _SURROGATE.sub(REPLACEMENT, text))
    return _SPACES_AND_CONTROLS.sub(" ", text).strip(" ")
