"""Lines of text on frames, in any script that the library's font has."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from ostinato.font import cut_text, load_font
from ostinato.frames.colours import Colour

_KEPT_LINES = 256  # labels come back frame after frame; numbers that change push out the oldest


def draw_text(
    image: np.ndarray, text: str, place: tuple[int, int], *, height: int, colour: Colour, right: bool = False
) -> int:
    """Writes a line into an image, where `cv2.putText` would write question marks for all but English letters.

    What does not fit between its place and the edge is cut, with an ellipsis.

    Args:
      image: uint8 [H, W, 3], which is changed.
      text: one line.
      place: column and row of its upper left corner, in pixels.
      height: of the line in pixels.
      colour: of the letters, in the channel order of the image.
      right: whether `place` is its upper right corner.

    Returns:
      The width of the line in pixels.
    """
    column, row = place
    room = column if right else image.shape[1] - column
    if room <= 0 or not text:
        return 0
    coverage = _coverage(text, height, room)
    width = coverage.shape[1]
    column -= width if right else 0
    region = image[max(0, row) : row + height, column : column + width]
    coverage = coverage[max(0, -row) :][: region.shape[0], : region.shape[1], None]
    # Whole numbers: on a frame it is many times quicker than floating point, and nobody sees the difference.
    region[:] = (region * (255 - coverage) + np.array(colour, np.uint16) * coverage + 127) // 255
    return width


def text_width(text: str, height: int) -> int:
    """Returns how wide a line of a height is, in pixels."""
    return _coverage(text, height, 1 << 20).shape[1] if text else 0


@lru_cache(maxsize=_KEPT_LINES)
def _coverage(text: str, height: int, room: int) -> np.ndarray:
    """Returns how much of each pixel the letters cover, uint16 [height, width] from 0 to 255."""
    font = load_font(max(6.0, 0.76 * height))
    shown = cut_text(text, room, font)
    width = max(1, min(room, round(font.getlength(shown))))
    mask = Image.new("L", (width, height))
    # From the baseline, so that a line stays where it is whichever letters it has.
    ImageDraw.Draw(mask).text((0, round(0.78 * height)), shown, 255, font, anchor="ls")
    return np.asarray(mask, np.uint16)
