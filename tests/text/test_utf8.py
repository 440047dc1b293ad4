import itertools

import numpy as np
import pytest
import tensorflow as tf

from ostinato.text.utf8 import NO_BYTE, code_points_of, in_whole_characters, utf8_bytes


def whole(values):
    return in_whole_characters(tf.constant(values, tf.int32)).numpy().tolist()


def scanned(values):
    """The definition, by Python's own decoder: take a whole character if one begins here, else drop one byte."""
    result, place = [False] * len(values), 0
    while place < len(values):
        for length in range(1, 5):
            part = values[place : place + length]
            if len(part) == length and NO_BYTE not in part and len(decoded(bytes(part))) == 1:
                result[place : place + length] = [True] * length
                place += length
                break
        else:
            place += 1
    return result


def decoded(part):
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("text", ["a", "é", "漢", "🙂", "a\x00é漢🙂\U0010ffff\ufffd", "\u0800\ud7ff\ue000\U00010000"])
def test_characters_are_whole(text):
    assert all(whole(list(text.encode())))


@pytest.mark.parametrize(
    "part",
    [
        b"\x80",
        b"\xc3",
        b"\xe6\xbc",
        b"\xf0\x9f\x99",
        b"\xc0\x80",  # overlong
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xed\xa0\x80",  # a surrogate
        b"\xf4\x90\x80\x80",  # above U+10FFFF
        b"\xf8\x88\x80\x80\x80",
        b"\xff",
    ],
)
def test_what_is_no_character_is_not_whole_and_spoils_no_neighbour(part):
    surrounded = list("é".encode() + part + "漢a".encode())
    assert whole(surrounded) == [True] * 2 + [False] * len(part) + [True] * 4


def test_what_stands_between_bytes_parts_them():
    first, second, third = "漢".encode()
    assert whole([first, second, NO_BYTE, third, 0x41, NO_BYTE]) == [False] * 4 + [True, False]


def test_all_pairs_of_bytes_agree_with_pythons_decoder():
    pairs = list(itertools.product(range(256), repeat=2))
    assert whole(pairs) == [scanned(list(pair)) for pair in pairs]


def test_random_bytes_agree_with_pythons_decoder():
    generator = np.random.default_rng(0)
    # the bytes at which the rules change, and no byte at all
    edges = [NO_BYTE, 0, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF4]
    values = generator.choice([*edges, *range(0x80, 0xC0, 7), 0xF5, 0xFF], size=(3000, 11))
    assert whole(values) == [scanned(row) for row in values.tolist()]


@pytest.mark.parametrize("shape", [(0,), (1,), (2, 0), (2, 3), (2, 3, 5)])
def test_shapes_are_kept(shape):
    assert in_whole_characters(tf.fill(shape, 0xE6)).shape == shape


def test_texts_are_read_as_their_characters():
    texts = ["aé", "", "\x00漢🙂\ufeff", "\U0010ffff\ufffd"]
    assert code_points_of(tf.constant(texts)).to_list() == [[ord(character) for character in text] for text in texts]


def test_each_byte_that_is_no_part_of_a_character_is_replaced_and_characters_do_not_reach_into_the_next_text():
    texts = ["é漢".encode(), b"\xe6\xbc", b"\xa2a", b"", b"a\xf0\x9f\x99", b"\x82", b"\xed\xa0\x80"]
    bad = 0xFFFD
    expected = [[0xE9, 0x6F22], [bad] * 2, [bad, 0x61], [], [0x61, bad, bad, bad], [bad], [bad] * 3]
    assert code_points_of(tf.constant(texts)).to_list() == expected


def test_every_character_is_written_in_its_bytes():
    numbers = np.array([*range(0xD800), *range(0xE000, 0x110000, 7), 0x10FFFF], np.int32)
    values, counts = (result.numpy() for result in utf8_bytes(tf.constant(numbers)))
    written = [bytes(row[:count].tolist()) for row, count in zip(values, counts, strict=True)]
    assert written == [chr(number).encode() for number in numbers]
