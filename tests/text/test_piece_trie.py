import numpy as np
import pytest

from ostinato.text.piece_trie import DEAD, PieceTrie


def ids_ending_at(trie, text, end):
    """Walks the trie as its description says."""
    state, found = trie.root, []
    for character in reversed(text[: end + 1]):
        places = np.flatnonzero(trie.alphabet == ord(character))
        following = trie.base[state] + (places[0] + 1 if len(places) else 0)
        state = following if trie.parent[following] == state else DEAD
        if state == DEAD:
            break
        found.append(trie.piece_ids[state])
    return [piece_id for piece_id in found if piece_id >= 0]


def random_pieces(seed, alphabet, number, longest):
    generator = np.random.default_rng(seed)
    drawn = ["".join(generator.choice(list(alphabet), generator.integers(1, longest + 1))) for _ in range(number)]
    return {piece: 7 * place for place, piece in enumerate(dict.fromkeys(drawn))}


@pytest.mark.parametrize(
    "pieces",
    [
        {"a": 0},
        {"abc": 5},
        {"a": 1, "ba": 2, "cba": 3, "aaa": 4},
        random_pieces(1, "ab", 60, 7),
        random_pieces(2, "\u2581abcdeé漢🙂", 700, 5),
        random_pieces(3, [chr(0x4E00 + number) for number in range(900)], 3000, 3),  # wide at the root
    ],
    ids=["one", "chain", "suffixes", "dense", "mixed", "wide"],
)
def test_all_pieces_that_end_at_a_place_are_found_and_no_others(pieces):
    trie = PieceTrie.of(pieces)
    generator = np.random.default_rng(4)
    alphabet = sorted({*"".join(pieces), "x"})
    text = "".join(generator.choice(alphabet, 300)) + "".join(pieces)[:300]
    for end in range(len(text)):
        expected = [text[end - length : end + 1] for length in range(min(trie.depth, end + 1))]
        assert ids_ending_at(trie, text, end) == [pieces[piece] for piece in expected if piece in pieces]


def test_every_piece_is_found_whole():
    pieces = random_pieces(5, "\u2581abcdefgh", 2000, 9)
    trie = PieceTrie.of(pieces)
    for piece, piece_id in pieces.items():
        assert ids_ending_at(trie, piece, len(piece) - 1)[-1] == piece_id


def test_no_walk_leaves_the_arrays():
    trie = PieceTrie.of(random_pieces(6, "abcdefghijklmnop", 500, 6))
    assert trie.base.min() >= 0
    assert trie.base.max() + len(trie.alphabet) < len(trie.parent)
    assert not (trie.parent == DEAD).any()  # nothing leaves it


def test_the_arrays_are_not_much_larger_than_the_trie():
    pieces = random_pieces(7, "abcdefghijklmnop", 3000, 6)
    nodes = {piece[place:] for piece in pieces for place in range(len(piece))}
    assert len(PieceTrie.of(pieces).base) < 1.5 * len(nodes)
