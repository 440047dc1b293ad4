"""A picture of each translation that shows which pieces of the source each written piece looked at."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ostinato.errors import InputError
from ostinato.files import write_atomically
from ostinato.font import cut_text, fit_text, load_font

if TYPE_CHECKING:
    from ostinato_translate.inputs import TextInput
    from ostinato_translate.translator import Translation

_GREATEST_CELL, _LEAST_CELL, _GREATEST_SIDE = 30, 4, 3000  # pixels
_LEAST_LABELLED_CELL = 10  # of smaller ones nobody could read the labels
_LABEL_WIDTH, _LABEL_GAP, _MARGIN, _TITLE_HEIGHT, _LEAST_WIDTH = 160, 5, 14, 52, 360
_BACKGROUND, _INK, _FAINT = (255, 255, 255), (24, 24, 27), (228, 228, 231)
_STRONG = np.array((30, 64, 175))  # the colour of a weight of 1


def alignment_picture(translation: Translation) -> Image.Image:
    """Draws a heat map: a column for each piece of the source, a row for each piece written, dark where it looked.

    Args:
      translation: with its attention float [pieces, source pieces].

    Returns:
      An RGB picture with the translation above.
    """
    rows, columns = max(1, len(translation.pieces)), max(1, len(translation.source_pieces))
    cell = max(_LEAST_CELL, min(_GREATEST_CELL, _GREATEST_SIDE // max(rows, columns)))
    font = load_font(min(16, cell - 2)) if cell >= _LEAST_LABELLED_CELL else None
    row_labels, column_labels = (_labels(pieces, font) for pieces in (translation.pieces, translation.source_pieces))
    left = _MARGIN + max(label.width for label in row_labels)
    top = _TITLE_HEIGHT + max(label.width for label in column_labels)
    width, height = columns * cell, rows * cell
    picture = Image.new("RGB", (max(_LEAST_WIDTH, left + width + _MARGIN), top + height + _MARGIN), _BACKGROUND)
    title, title_font = fit_text(translation.text, picture.width - 2 * _MARGIN)
    draw = ImageDraw.Draw(picture)
    draw.text((_MARGIN, _TITLE_HEIGHT // 2), title, _INK, title_font, anchor="lm")
    heat_map = _heat_map(translation.attention, rows, columns)
    picture.paste(heat_map.resize((width, height), Image.Resampling.NEAREST), (left, top))
    draw.rectangle((left - 1, top - 1, left + width, top + height), outline=_FAINT)
    for row, label in enumerate(row_labels):
        picture.paste(label, (left - label.width, top + row * cell + (cell - label.height) // 2))
    for column, label in enumerate(column_labels):
        upright = label.transpose(Image.Transpose.ROTATE_90)
        picture.paste(upright, (left + column * cell + (cell - upright.width) // 2, top - upright.height))
    return picture


def _labels(pieces: Sequence[str], font: ImageFont.FreeTypeFont | None) -> list[Image.Image]:
    """Returns a line of text as a picture for each piece, as wide as it is; without a font, empty ones."""
    if font is None or not pieces:
        return [Image.new("RGB", (1, 1), _BACKGROUND)]
    labels = []
    for piece in pieces:
        shown = cut_text(piece, _LABEL_WIDTH, font)
        label = Image.new("RGB", (round(font.getlength(shown)) + 2 * _LABEL_GAP, round(1.2 * font.size)), _BACKGROUND)
        ImageDraw.Draw(label).text((_LABEL_GAP, label.height // 2), shown, _INK, font, anchor="lm")
        labels.append(label)
    return labels


def _heat_map(attention: np.ndarray, rows: int, columns: int) -> Image.Image:
    weights = np.zeros((rows, columns, 1))
    weights[: attention.shape[0], : attention.shape[1], 0] = np.clip(attention, 0, 1)
    # Most weights are small; their square roots can be told apart.
    shares = np.sqrt(weights)
    return Image.fromarray(np.uint8(np.round(shares * _STRONG + (1 - shares) * 255)))


class AlignmentFolder:
    """Saves for each translation a picture and the numbers behind it, as JSON.

    Args:
      folder: made if it is missing.

    Attributes:
      saved: number of translations so far.
    """

    def __init__(self, folder: Path):
        self.folder, self.saved = folder, 0
        folder.mkdir(parents=True, exist_ok=True)

    def saving(
        self, results: Iterable[tuple[TextInput, Mapping[str, Any] | InputError]]
    ) -> Iterator[tuple[TextInput, Mapping[str, Any] | InputError]]:
        """Passes results on and saves the best translation of each text into each language."""
        for number, (item, found) in enumerate(results, start=1):
            if not isinstance(found, InputError):
                for language, translations in found.items():
                    self.save(number, str(item.text), language, translations[0])
            yield item, found

    def save(self, number: int, text: str, language: str, translation: Translation) -> None:
        """Writes `0007.de.png` and `0007.de.json`.

        Args:
          number: of the text, from 1.
          text: what was translated.
          language: into which it was.
          translation: the best.
        """
        content = io.BytesIO()
        alignment_picture(translation).save(content, "PNG")
        name = f"{number:04}.{language}"
        write_atomically(self.folder / f"{name}.png", content.getvalue())
        record = {
            "text": text,
            "to": language,
            "translation": translation.text,
            "score": round(translation.score, 4),
            "source_pieces": list(translation.source_pieces),
            "pieces": list(translation.pieces),
            "attention": [[round(float(weight), 4) for weight in row] for row in translation.attention],
        }
        write_atomically(self.folder / f"{name}.json", json.dumps(record, ensure_ascii=False) + "\n")
        self.saved += 1
