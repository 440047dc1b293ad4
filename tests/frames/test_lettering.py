import numpy as np
import pytest

from ostinato.frames import lettering
from ostinato.frames.lettering import draw_text, text_width


def grey(height=40, width=301):
    return np.full((height, width, 3), 90, np.uint8)


def written(text, **options):
    image = grey()
    draw_text(image, text, (5, 7), height=20, colour=(255, 200, 10), **options)
    return image


@pytest.mark.parametrize("letter", "äßčřΩДع—")
def test_letters_of_many_scripts_are_no_question_marks_and_no_boxes(letter):
    assert not np.array_equal(written(letter), written("?"))
    assert not np.array_equal(written(letter), written("\uffff"))
    assert (written(letter) != grey()).any()


def test_letters_have_their_colour_and_stay_in_their_line():
    image = written("HHHH")
    assert image.reshape(-1, 3).max(axis=0).tolist() == [255, 200, 90]
    rows, columns = np.nonzero((image != 90).any(axis=-1))
    assert rows.min() >= 7
    assert rows.max() < 27
    assert columns.min() >= 5
    assert columns.max() < 5 + text_width("HHHH", 20)


def test_a_line_may_end_at_a_place():
    image = grey()
    width = draw_text(image, "walk", (300, 3), height=20, colour=(0, 0, 0), right=True)
    columns = np.nonzero((image != 90).any(axis=(0, 2)))[0]
    assert 300 - width <= columns.min()
    assert 294 < columns.max() < 300


def test_what_does_not_fit_is_cut_at_the_edge_and_outside_nothing_is_drawn():
    assert draw_text(grey(), "walk " * 99, (5, 7), height=20, colour=(0, 0, 0)) <= 296
    for place in ((500, 3), (5, 90), (5, -60)):
        image = grey()
        draw_text(image, "walk", place, height=20, colour=(0, 0, 0))
        assert np.array_equal(image, grey())
    assert draw_text(grey(), "", (5, 7), height=20, colour=(0, 0, 0)) == 0


def test_a_label_is_rendered_once_and_few_lines_are_kept():
    lettering._coverage.cache_clear()
    for _ in range(50):
        written("walk")
    assert lettering._coverage.cache_info().misses == 1
    for number in range(1000):
        text_width(str(number), 9)
    assert lettering._coverage.cache_info().currsize <= 256
