import numpy as np

from ostinato_serve.page.word_alignment import aligned_words
from ostinato_translate.translation import Translation


def translation(text, pieces, source_pieces, attention):
    return Translation(text, 0.0, 0.0, tuple(pieces), tuple(source_pieces), np.array(attention, np.float32))


def test_pieces_of_a_word_share_what_they_looked_at_and_pieces_of_the_source_are_added_up():
    best = translation(
        "Hunde rennen",
        ["\u2581Hun", "de", "\u2581rennen"],
        ["\u2581do", "gs", "\u2581run", "</s>"],
        [[0.6, 0.3, 0.1, 0.0], [0.2, 0.3, 0.2, 0.3], [0.0, 0.1, 0.8, 0.1]],
    )
    words = aligned_words(best, "dogs run")
    assert (words.source, words.target) == (("dogs", "run"), ("Hunde", "rennen"))
    assert words.weights == ((70, 15), (10, 80))
    assert words.strongest(1) == "run, 80 %"


def test_words_of_bytes_are_shown_as_they_were_meant():
    best = translation("né", ["\u2581n", "<0xC3>", "<0xA9>"], ["\u2581born", "</s>"], [[0.9, 0.1]] * 3)
    assert aligned_words(best, "born").target == ("né",)


def test_sentences_that_were_joined_are_words_of_one_text():
    best = translation(
        "A b",
        ["\u2581A", "\u2581b"],
        ["\u2581one", "</s>", "two", "</s>"],
        [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.9, 0.1]],
    )
    assert aligned_words(best, "one two").weights == ((100, 0), (0, 90))


def test_a_word_that_looked_at_nothing_names_nothing():
    best = translation("a", ["\u2581a"], ["\u2581one", "</s>"], [[0.0, 1.0]])
    assert aligned_words(best, "one").strongest(0) == ""
