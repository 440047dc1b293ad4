import numpy as np
import pytest

from ostinato_translate.translation import Translation, joined, translations_of, with_source_words


def translation(text, pieces, source_pieces, attention, score=-1.0):
    return Translation(text, score, 2 * score, tuple(pieces), tuple(source_pieces), np.array(attention, np.float32))


def test_translations_have_neither_padding_nor_what_was_not_found():
    outputs = {
        "translations": np.array([b"Hunde", b"ein Hund", b""], object),
        "scores": np.array([-1.0, -2.0, -1e9], np.float32),
        "log_probs": np.array([-3.0, -5.0, -1e9], np.float32),
        "pieces": np.array(
            [["\u2581Hunde".encode(), b"", b""], ["\u2581ein".encode(), "\u2581Hund".encode(), b""], [b"", b"", b""]],
            object,
        ),
        "source_pieces": np.array(["\u2581dogs".encode(), b"</s>", b"", b""], object),
        "attention": np.arange(36, dtype=np.float32).reshape(3, 3, 4),
    }
    first, second = translations_of(outputs, "dogs")
    assert (first.text, first.score, first.log_prob, first.pieces) == ("Hunde", -1, -3, ("\u2581Hunde",))
    assert second.source_pieces == ("\u2581dogs", "</s>")
    assert second.attention.tolist() == [[12, 13], [16, 17]]


def test_sentences_are_joined_by_rank_and_look_at_their_own_source():
    first = [translation("a", "a", "xy", [[0.25, 0.75]]), translation("b", "b", "xy", [[1, 0]], -3)]
    second = [translation("c d", "cd", "z", [[1], [1]], -2), translation("e", "e", "z", [[1]], -4)]
    best, other = joined([first, second])
    assert (best.text, best.score, best.log_prob, best.num_sentences) == ("a c d", -3, -6, 2)
    assert (other.text, other.score) == ("b e", -7)
    assert (best.pieces, best.source_pieces) == (("a", "c", "d"), ("x", "y", "z"))
    assert best.attention.tolist() == [[0.25, 0.75, 0], [0, 0, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    ("pieces", "looked_at", "expected"),
    [
        (["\u2581Herr", "\u2581", "<unk>", "\u2581rennt"], [1, 2, 3, 4], "Herr Владимир rennt"),
        (["\u2581Herr", "\u2581rennt"], [1, 4], "as it was"),
        (["<unk>", "\u2581rennt"], [5, 4], "runs rennt"),  # the end, where it looked most, is no word
    ],
)
def test_an_unknown_piece_becomes_the_source_word_that_it_looked_at(pieces, looked_at, expected):
    source_pieces = ["\u2581Mr", ".", "\u2581", "<unk>", "\u2581runs", "</s>"]
    attention = 0.1 + 0.7 * np.eye(6)[looked_at] + 0.01 * np.arange(6)
    written = translation("as it was", pieces, source_pieces, attention)
    replaced = with_source_words(written, "Mr. Владимир runs")
    assert replaced.text == expected
    assert "<unk>" not in replaced.pieces
