"""The confusion matrix as a picture that can be read with two labels or with a hundred."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ostinato.font import cut_text, fit_text, load_font
from ostinato.metrics.confusion import check_labels

_SIDE = 2400  # pixels that the cells together may take
_GREATEST_CELL, _LEAST_CELL = 64, 3  # pixels
_LEAST_LABELLED_CELL, _LEAST_NUMBERED_CELL = 10, 20  # of smaller ones nobody could read the text
_GREATEST_FONT = 17  # pixels
_NUM_LABELS_OF_ONE_SIDE = 25  # of more, the eye loses the row on its way: labels stand on all four sides
_LABEL_WIDTH, _GAP, _MARGIN, _LEAST_WIDTH = 260, 7, 18, 560
_TITLE_HEIGHT, _NOTE_HEIGHT = 34, 30
_BACKGROUND, _INK, _FAINT, _NOTE_INK = (255, 255, 255), (24, 24, 27), (212, 212, 216), (82, 82, 91)
_RIGHT, _WRONG = np.array((30, 64, 175)), np.array((194, 65, 12))  # colours of a share of 1, apart for every eye
_NOTE = "row: true label (examples); column: predicted label; number: % of the row"


def confusion_picture(matrix: np.ndarray, labels: Sequence[str], *, title: str = "Confusion matrix") -> Image.Image:
    """Draws a row for each true label, a column for each predicted one; blue is right, orange is wrong.

    Args:
      matrix: int [L, L] of `confusion_matrix`.
      labels: their names, in order; long ones are cut.
      title: stands above.

    Returns:
      An RGB picture, some 3,000 pixels a side for a hundred labels. More than 120 labels leave no room for numbers,
      more than 240 none for names.

    Raises:
      DataError: another number of names than of labels.
    """
    check_labels(matrix, labels)
    cell = max(_LEAST_CELL, min(_GREATEST_CELL, _SIDE // max(1, len(labels))))
    font = load_font(min(_GREATEST_FONT, 0.66 * cell)) if cell >= _LEAST_LABELLED_CELL else None
    row_labels, column_labels = _labels(matrix, labels, font)
    left, above = (max(label.width for label in each) for each in (row_labels, column_labels))
    side, mirrored = len(labels) * cell, len(labels) > _NUM_LABELS_OF_ONE_SIDE
    top = _MARGIN + _TITLE_HEIGHT + _NOTE_HEIGHT + above
    width = 2 * _MARGIN + left + side + (above if mirrored else 0)
    height = top + side + (above if mirrored else 0) + _MARGIN
    picture = Image.new("RGB", (max(_LEAST_WIDTH, width), height), _BACKGROUND)
    left += _MARGIN
    draw = ImageDraw.Draw(picture)
    shown, title_font = fit_text(title, picture.width - 2 * _MARGIN)
    draw.text((_MARGIN, _MARGIN + _TITLE_HEIGHT // 2), shown, _INK, title_font, anchor="lm")
    note_line = _MARGIN + _TITLE_HEIGHT + _NOTE_HEIGHT // 2
    draw.text((_MARGIN, note_line), _NOTE, _NOTE_INK, load_font(13), anchor="lm")
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    colours = _colours(shares)
    cells = Image.fromarray(colours).resize((side, side), Image.Resampling.NEAREST)
    picture.paste(cells, (left, top))
    _draw_grid(draw, left, top, len(labels), cell)
    if cell >= _LEAST_NUMBERED_CELL:
        _draw_numbers(draw, left, top, cell, shares, colours)
    for row, label in enumerate(row_labels):
        picture.paste(label, (left - label.width, top + row * cell + (cell - label.height) // 2))
    for number, label in enumerate(column_labels):
        upright, offset = label.transpose(Image.Transpose.ROTATE_90), number * cell + (cell - label.height) // 2
        picture.paste(upright, (left + offset, top - upright.height))
        if mirrored:
            below = label.transpose(Image.Transpose.ROTATE_270)  # so that names begin at the matrix, as on the right
            picture.paste(below, (left + offset, top + side + 1))
            picture.paste(label, (left + side + 1, top + offset))
    return picture


def _labels(
    matrix: np.ndarray, labels: Sequence[str], font: ImageFont.FreeTypeFont | None
) -> tuple[list[Image.Image], list[Image.Image]]:
    """Returns a picture of each row's label, with its number of examples, and of each column's."""
    if font is None or not labels:
        return [Image.new("RGB", (1, 1), _BACKGROUND)], [Image.new("RGB", (1, 1), _BACKGROUND)]
    names = [cut_text(" ".join(label.split()), _LABEL_WIDTH, font) for label in labels]
    counts = [f" ({count:,})" for count in matrix.sum(axis=1)]
    return (
        [_line_of_text(name + count, font) for name, count in zip(names, counts, strict=True)],
        [_line_of_text(name, font) for name in names],
    )


def _line_of_text(text: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    line = Image.new("RGB", (round(font.getlength(text)) + 2 * _GAP, round(1.3 * font.size)), _BACKGROUND)
    ImageDraw.Draw(line).text((_GAP, line.height // 2), text, _INK, font, anchor="lm")
    return line


def _colours(shares: np.ndarray) -> np.ndarray:
    """Returns uint8 [L, L, 3]."""
    is_right = np.eye(len(shares), dtype=bool)[:, :, None]
    # Most confusions are rare; their square roots can be told apart from none.
    strengths = np.sqrt(shares)[:, :, None]
    return np.round(strengths * np.where(is_right, _RIGHT, _WRONG) + (1 - strengths) * 255).astype(np.uint8)


def _draw_grid(draw: ImageDraw.ImageDraw, left: int, top: int, num_labels: int, cell: int) -> None:
    end = num_labels * cell
    for number in range(num_labels + 1):
        if cell < _LEAST_LABELLED_CELL and 0 < number < num_labels:
            continue  # lines would hide what they part
        draw.line((left + number * cell, top, left + number * cell, top + end), _FAINT)
        draw.line((left, top + number * cell, left + end, top + number * cell), _FAINT)


def _draw_numbers(
    draw: ImageDraw.ImageDraw, left: int, top: int, cell: int, shares: np.ndarray, colours: np.ndarray
) -> None:
    font = load_font(min(_GREATEST_FONT, 0.5 * cell))
    for row, column in np.argwhere(shares > 0):
        ink = _BACKGROUND if colours[row, column].mean() < 150 else _INK
        centre = (left + column * cell + cell / 2, top + row * cell + cell / 2)
        draw.text(centre, percent_text(shares[row, column]), ink, font, anchor="mm")


def percent_text(share: float) -> str:
    """A share of 0 to 1 as whole per cent, where only all is 100 and only nothing is 0."""
    if share < 0.01:
        return "<1" if share > 0 else "0"
    return "100" if share >= 1 else str(min(99, round(100 * share)))
