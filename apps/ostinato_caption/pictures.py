"""A picture for each photo that shows which region each word looked at."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ostinato.files import write_atomically
from ostinato.font import fit_text, load_font
from ostinato.images.graph import decode_photo
from ostinato.images.reading import read_photo
from ostinato_caption.captioner import Caption

_PANEL_WIDTH = 240  # pixels
_COLUMNS = 4
_MARGIN, _LABEL_HEIGHT, _TITLE_HEIGHT = 12, 30, 46
_BACKGROUND, _INK, _FAINT = (255, 255, 255), (24, 24, 27), (113, 113, 122)
_SHADE = 0.22  # brightness of what a word did not look at


def attention_picture(photo: bytes | Image.Image, caption: Caption) -> Image.Image:
    """Draws the photo once for each word, bright where the network looked when it wrote that word.

    Args:
      photo: the image file's content, as `read_photo` returns it, or the photo upright in RGB.
      caption: what was written about it.

    Returns:
      An RGB picture: the caption above, a panel for each word below, in reading order.
    """
    # Of bytes, the very pixels that the network saw.
    upright = photo if isinstance(photo, Image.Image) else Image.fromarray(decode_photo(photo).numpy())
    height = max(1, round(_PANEL_WIDTH * upright.height / upright.width))
    height = min(height, 2 * _PANEL_WIDTH)  # a very tall photo would make a picture that nobody can look at
    small = upright.resize((_PANEL_WIDTH, height), Image.Resampling.LANCZOS)

    words = caption.words()
    columns = max(1, min(_COLUMNS, len(words)))
    rows = -(-len(words) // columns)
    cell_width, cell_height = _PANEL_WIDTH + _MARGIN, height + _LABEL_HEIGHT + _MARGIN
    title, title_font = fit_text(caption.text, columns * cell_width - _MARGIN)
    picture = Image.new(
        "RGB", (columns * cell_width + _MARGIN, _TITLE_HEIGHT + rows * cell_height + _MARGIN), _BACKGROUND
    )
    draw = ImageDraw.Draw(picture)
    draw.text((_MARGIN, _TITLE_HEIGHT // 2), title, _INK, title_font, anchor="lm")
    font = load_font(18)
    for index, (word, grid) in enumerate(words):
        left = _MARGIN + index % columns * cell_width
        top = _TITLE_HEIGHT + index // columns * cell_height
        picture.paste(_spotlight(small, grid), (left, top))
        draw.text((left, top + height + _LABEL_HEIGHT // 2), word, _INK, font, anchor="lm")
        peak = f"{100 * grid.max():.0f} % at its brightest"
        draw.text(
            (left + _PANEL_WIDTH, top + height + _LABEL_HEIGHT // 2),
            peak,
            _FAINT,
            load_font(11),
            anchor="rm",
        )
    return picture


class PictureFolder:
    """Saves pictures under the photos' names, numbered where two photos have the same.

    Args:
      folder: made if it is missing.

    Attributes:
      saved: number of pictures so far.
    """

    def __init__(self, folder: Path):
        self.folder, self.saved = folder, 0
        self._taken: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, name: str, photo: str | bytes, caption: Caption) -> None:
        """Draws `attention_picture` into a PNG file.

        Args:
          name: what the user calls the photo: a path, or `-` for standard input.
          photo: its path or its content.
          caption: what was written about it.
        """
        stem = "standard_input" if name == "-" else Path(name).stem
        unique, number = stem, 1
        while unique in self._taken:
            number += 1
            unique = f"{stem}_{number}"
        self._taken.add(unique)
        content = io.BytesIO()
        attention_picture(read_photo(photo), caption).save(content, "PNG")
        write_atomically(self.folder / f"{unique}.png", content.getvalue())
        self.saved += 1


def _spotlight(photo: Image.Image, grid: np.ndarray) -> Image.Image:
    """Darkens the photo except where the weights float [rows, columns] are large."""
    brightest = float(grid.max()) or 1.0
    weights = Image.fromarray(np.uint8(255 * grid / brightest))
    # The places overlap in what they see, so smooth edges are nearer the truth than squares.
    mask = weights.resize(photo.size, Image.Resampling.BICUBIC)
    return Image.composite(photo, Image.eval(photo, lambda value: int(value * _SHADE)), mask)
