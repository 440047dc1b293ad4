import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from ostinato.text import normalise
from ostinato.text.graph_normalise import graph_normalise


def in_graph(texts):
    return [text.decode() for text in graph_normalise(tf.constant(texts)).numpy().tolist()]


def test_composed_texts_are_normalised_as_in_python(hard_texts):
    texts = [unicodedata.normalize("NFC", text) for text in hard_texts]
    assert in_graph(texts) == [normalise(text) for text in texts]


def test_all_characters_are_treated_as_in_python():
    numbers = [*range(0xD800), *range(0xE000, 0x20000)]
    texts = [unicodedata.normalize("NFC", f" a{chr(number)} b") for number in numbers]
    assert in_graph(texts) == [normalise(text) for text in texts]


def test_composing_is_left_to_python():
    assert in_graph(["e\u0301"]) == ["e\u0301"] != [normalise("e\u0301")]


@pytest.mark.parametrize("part", [b"\xff", b"\xe6\xbc", b"\xc0\x80", b"\xed\xa0\x80", b"\xf0\x9f\x99", b"\xf8\x88\x80"])
def test_what_is_no_utf8_is_replaced_as_python_decodes_it(part):
    text = b"a " + part + b" b" + part
    assert in_graph([text]) == [normalise(text.decode(errors="replace"))]


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0), (2, 3)])
def test_shapes_are_kept(shape):
    assert graph_normalise(tf.constant(np.full(shape, b" a "))).shape == shape
