import dataclasses

import pytest

from ostinato_translate.cleaning import Cleaner, LeftOut, hash_row, normalise_row
from ostinato_translate.config import PrepareConfig


@pytest.fixture
def cleaner():
    return Cleaner(PrepareConfig(max_pieces=30, max_length_ratio=2.0))


def pieces(**lengths):
    return {language: list(range(length)) for language, length in lengths.items()}


def test_sentences_are_normalised_and_empty_ones_left_out_and_counted(cleaner):
    row = {"de": " Gru\u0308n\tund\u2028gut ", "en": "green", "fr": " \u00a0 ", "cs": ""}
    assert cleaner.clean(row) == {"de": "Grün und gut", "en": "green"}
    assert cleaner.left_out == LeftOut(empty_sentences=2)


def test_a_row_needs_two_languages(cleaner):
    assert cleaner.clean({"de": "allein", "en": ""}) == {}
    assert cleaner.clean({"de": "allein"}) == {}
    assert cleaner.left_out == LeftOut(empty_sentences=1, lone_rows=2)


def test_of_rows_that_are_alike_in_all_languages_the_first_is_kept(cleaner):
    row = {"de": "eins", "en": "one"}
    assert cleaner.clean(row) == row
    assert cleaner.clean({"en": "one ", "de": " eins"}) == {}
    assert cleaner.clean({**row, "fr": "un"})
    assert cleaner.clean({"de": "one", "en": "eins"})
    assert cleaner.left_out == LeftOut(duplicate_rows=1)


def test_duplicates_may_be_kept():
    cleaner = Cleaner(PrepareConfig(deduplicate=False))
    row = {"de": "eins", "en": "one"}
    assert [cleaner.clean(row) for _ in range(3)] == [row] * 3


def test_a_long_sentence_is_left_out_and_its_row_where_too_few_remain(cleaner):
    assert cleaner.limit(pieces(de=30, en=31, fr=29)) == pieces(de=30, fr=29)
    assert cleaner.limit(pieces(de=30, en=31)) == {}
    assert cleaner.left_out == LeftOut(long_sentences=2, lone_rows=1)


@pytest.mark.parametrize(
    ("shorter", "longer", "is_kept"), [(1, 12, True), (1, 13, False), (9, 28, True), (9, 29, False)]
)
def test_rows_of_very_different_lengths_are_left_out(cleaner, shorter, longer, is_kept):
    row = pieces(de=longer, en=shorter, fr=11)
    assert cleaner.limit(row) == (row if is_kept else {})
    assert cleaner.left_out.unbalanced_rows == (not is_kept)


def test_a_row_that_is_gone_already_is_counted_once(cleaner):
    assert cleaner.clean({"de": "", "en": ""}) == {}
    assert sum(dataclasses.asdict(cleaner.left_out).values()) == 3  # two empty sentences, one row


def test_the_hash_of_a_row_depends_on_its_sentences_and_their_languages_only():
    rows = [{"de": "a", "en": "b"}, {"en": "b", "de": "a"}, {"de": "b", "en": "a"}, {"de": "a", "fr": "b"}]
    hashes = [hash_row(normalise_row(row)) for row in rows]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3
    assert 2**32 < max(hashes) < 2**64
