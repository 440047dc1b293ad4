"""The font of pictures: DejaVu Sans, which ships with the library (its licence beside it).

Pillow's own font has no letters but those of English; a picture of a German or Czech sentence would be full of boxes.
"""

from __future__ import annotations

from pathlib import Path

from PIL import ImageFont

_FILE = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_GREATEST_SIZE, _LEAST_SIZE = 24, 10  # pixels
_ELLIPSIS = "\u2026"


def load_font(size: float) -> ImageFont.FreeTypeFont:
    """Returns the font in a size in pixels. It has Latin, Greek, Cyrillic, Arabic and Hebrew letters."""
    return ImageFont.truetype(_FILE, size)


def fit_text(text: str, width: float) -> tuple[str, ImageFont.FreeTypeFont]:
    """Returns a line of text and the largest font in which it fits a width in pixels.

    What is too long for the smallest font is cut, with an ellipsis at its end.
    """
    for size in range(_GREATEST_SIZE, _LEAST_SIZE - 1, -1):
        font = load_font(size)
        if font.getlength(text) <= width:
            return text, font
    return cut_text(text, width, font), font


def cut_text(text: str, width: float, font: ImageFont.FreeTypeFont) -> str:
    """Returns as much of the beginning of a text as fits a width in pixels, with an ellipsis where that is not all."""
    if font.getlength(text) <= width:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if font.getlength(text[:middle].rstrip() + _ELLIPSIS) <= width:
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + _ELLIPSIS
