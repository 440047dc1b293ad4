import numpy as np
import pytest
from PIL import Image

from ostinato.errors import DataError
from ostinato.metrics.confusion_picture import confusion_picture, percent_text

BLUE, WHITE = (30, 64, 175), (255, 255, 255)


def colours(picture):
    return {colour for _, colour in picture.getcolors(maxcolors=2**24)}


@pytest.mark.parametrize("num_labels", [1, 2, 7, 31, 100, 301])
def test_a_picture_of_any_number_of_labels_can_be_shown(num_labels):
    labels = [f"Gebärde сидеть {number} " * (number % 7 + 1) for number in range(num_labels)]
    picture = confusion_picture(np.eye(num_labels, dtype=int), labels)
    assert picture.mode == "RGB"
    assert 300 < max(picture.size) < 3500
    assert BLUE in colours(picture)  # all right


def test_names_and_numbers_of_a_hundred_labels_have_room():
    side = confusion_picture(np.eye(100, dtype=int), ["x"] * 100).width
    assert side > 100 * 20  # pixels a cell


def test_what_is_wrong_has_another_colour_than_what_is_right():
    right = confusion_picture(np.array([[7, 0], [0, 9]]), ["a", "b"])
    wrong = confusion_picture(np.array([[0, 7], [9, 0]]), ["a", "b"])
    assert right.size == wrong.size
    assert BLUE not in colours(wrong)
    assert (194, 65, 12) in colours(wrong)


def test_a_row_is_a_true_label():
    # The lower left cell: the second label, taken for the first.
    picture = np.asarray(confusion_picture(np.array([[9, 0], [9, 0]]), ["a", "b"]))
    orange = np.argwhere((picture == (194, 65, 12)).all(axis=-1)).mean(axis=0)
    blue = np.argwhere((picture == BLUE).all(axis=-1)).mean(axis=0)
    assert orange[0] > blue[0] + 30  # below it
    assert abs(orange[1] - blue[1]) < 5


def test_a_number_stands_in_its_cell():
    picture = np.asarray(confusion_picture(np.array([[9, 0], [9, 0]]), ["a", "b"]))
    places = np.argwhere((picture == (194, 65, 12)).all(axis=-1))
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
    assert len(places) < 0.98 * (bottom - top + 1) * (right - left + 1)  # the rest is the number


def test_a_label_that_never_occurs_leaves_its_row_empty():
    picture = confusion_picture(np.zeros((3, 3), int), ["a", "b", "c"])
    assert WHITE in colours(picture)
    assert BLUE not in colours(picture)


def test_long_names_do_not_push_the_matrix_out():
    short, long = (confusion_picture(np.eye(3, dtype=int), [name * 3] * 3) for name in ("abc", "abc" * 300))
    assert isinstance(long, Image.Image)
    assert long.width < short.width + 400


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (0.0001, "<1"), (0.01, "1"), (0.426, "43"), (0.996, "99"), (0.9999, "99"), (1.0, "100")],
)
def test_only_all_is_a_hundred_and_only_nothing_is_none(share, text):
    assert percent_text(share) == text


def test_names_must_be_as_many_as_labels():
    with pytest.raises(DataError, match="1 names"):
        confusion_picture(np.eye(2, dtype=int), ["a"])
