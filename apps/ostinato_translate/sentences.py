"""Where one sentence ends and the next begins, by rules, for texts that are too long to be translated at once."""

from __future__ import annotations

import re

# A full stop, exclamation or question mark, then what closes the sentence with it, then space. Scripts without spaces
# between words have marks of their own that end a sentence wherever they stand.
_END = re.compile(
    r"""[.!?\u2026]+(?:["'\u2019\u201c\u201d\u00ab\u203a)\]]|\s?[\u00bb\u203a])*(?=\s)"""
    r"""|[\u3002\uff01\uff1f]+["'\u201d\u300d\u300f\uff09]*"""
)
# Words that end in a full stop in the midst of a sentence, in English, German, French and Czech.
_LISTED = """
al approx art bspw bzw ca cca cf co dr e.g etc evtl fig ggf hr i.e inc inkl ing jr ltd max mgr min mio mme mr mrd mrs
ms mt mudr např nr p.ex p.m a.m prof resp sg sgt sog sr st str tj tzn tzv usw vgl vs z.b zb d.h u.a u.s u.k z.t
"""
_ABBREVIATIONS = frozenset(_LISTED.split())
_LAST_WORD = re.compile(r"[^\s\"'(\[\u00ab\u00bb\u201e\u201c\u201d\u2018\u2019]*\Z")
_OPENING = "\"'([\u00ab\u2039\u201e\u201c\u201d\u2018\u2019\u00bf\u00a1-\u2013\u2014 "


def split_sentences(text: str) -> list[str]:
    """Splits a text into its sentences, without the space around them.

    No letter is lost: the sentences, put together again, are the text but for space. A full stop after an
    abbreviation, an initial or a number ends no sentence, nor does any mark that a small letter follows; where the
    rules err, two sentences rather stay together than one is cut in two.

    Args:
      text: sentences of any languages.
    """
    sentences, start = [], 0
    for end in _END.finditer(text):
        if _is_end(text[start : end.start()], end.group(), text[end.end() :].lstrip(_OPENING)[:1]):
            sentences.append(text[start : end.end()].strip())
            start = end.end()
    return [sentence for sentence in (*sentences, text[start:].strip()) if sentence]


def _is_end(before: str, mark: str, following: str) -> bool:
    """Tells whether a mark between such text and the first letter thereafter ends a sentence."""
    if following.islower():
        return False
    if mark != ".":
        return True
    match = _LAST_WORD.search(before)
    word = match.group() if match else ""
    is_initial = len(word.rsplit(".", 1)[-1]) == 1 and word[-1].isalpha()
    is_number = word.isdecimal() and len(word) <= 2  # "am 3. Mai" and "3. kapitola"; years are longer
    return not (is_initial or is_number or word.lower() in _ABBREVIATIONS)
