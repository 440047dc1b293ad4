"""A colour for each label, the same wherever it is drawn."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Sequence

Colour = tuple[int, int, int]  # red, green, blue, each 0 to 255

# Tableau 10, made to be told apart; its grey is kept for the labels that say that nothing happens.
_TABLEAU: tuple[Colour, ...] = (
    (78, 121, 167),
    (242, 142, 43),
    (225, 87, 89),
    (118, 183, 178),
    (89, 161, 79),
    (237, 201, 72),
    (176, 122, 161),
    (255, 157, 167),
    (156, 117, 95),
)
_GREY: Colour = (186, 176, 172)
_BACKGROUND_LABELS = frozenset({"background", "none", "other", "unknown"})
_GOLDEN_RATIO = 0.618033988749895  # steps of it spread hues evenly, however many there are


def is_background(label: str) -> bool:
    """Whether a label says that nothing of interest happens."""
    return label.lower() in _BACKGROUND_LABELS


def label_colours(labels: Iterable[str]) -> dict[str, Colour]:
    """Returns a colour for each label, by their order: nine that differ well, then others; grey for the background."""
    colours: dict[str, Colour] = {}
    used = 0
    for label in labels:
        if label in colours:
            continue
        if is_background(label):
            colours[label] = _GREY
            continue
        colours[label] = _TABLEAU[used] if used < len(_TABLEAU) else _further_colour(used - len(_TABLEAU))
        used += 1
    return colours


def mix(colour: Sequence[int], other: Sequence[int], share: float) -> Colour:
    """Returns a colour with a share from 0 to 1 of another in it."""
    red, green, blue = (round((1 - share) * a + share * b) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def ink_on(colour: Sequence[int]) -> Colour:
    """Returns near-black or white, whichever can be read on a colour."""
    red, green, blue = colour
    return (24, 24, 27) if 0.299 * red + 0.587 * green + 0.114 * blue > 150 else (255, 255, 255)


def _further_colour(number: int) -> Colour:
    lightness = (0.42, 0.6, 0.5)[number % 3]
    red, green, blue = colorsys.hls_to_rgb(0.03 + number * _GOLDEN_RATIO % 1, lightness, 0.5)
    return round(255 * red), round(255 * green), round(255 * blue)
