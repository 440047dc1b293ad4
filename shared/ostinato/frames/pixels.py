"""A decoded frame as the pixels that a person would see: RGB, upright, of the size wanted."""

import av
import numpy as np

# H.273, table 4, by the numbers that libav uses: matrices from YUV to RGB that its scaler knows.
_UNSPECIFIED = 2
_KNOWN_MATRICES = frozenset({0, 1, _UNSPECIFIED, 4, 5, 6, 7, 9})
_BT2020_CONSTANT_LUMINANCE, _BT2020 = 10, 9


def upright_pixels(frame: av.VideoFrame, max_side: int | None = None) -> np.ndarray:
    """Returns uint8 [H, W, 3], RGB, turned as the camera was held.

    Colours follow the matrix that the frame is tagged with (BT.709, BT.2020, ...; BT.601 where it has no tag). Its
    primaries and transfer function are passed over, so that high dynamic range comes flat, not mapped to a screen's.

    Args:
      frame: as decoded.
      max_side: larger frames are made smaller, so that their longer side has so many pixels; None leaves them.
    """
    if frame.colorspace not in _KNOWN_MATRICES:
        constant = frame.colorspace == _BT2020_CONSTANT_LUMINANCE
        frame.colorspace = _BT2020 if constant else _UNSPECIFIED
    width, height = fitted_size(frame.width, frame.height, max_side)
    pixels = frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA")
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns(frame)))  # also without a turn: rows are padded


def fitted_size(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """Returns the (width, height) of a frame whose longer side is to have no more than `max_side` pixels."""
    if max_side is None or max(width, height) <= max_side:
        return width, height
    scale = max_side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def quarter_turns(frame: av.VideoFrame) -> int:
    """Returns how often, 0 to 3, a frame must be turned by 90 degrees counter-clockwise to stand upright."""
    return round(frame.rotation / 90) % 4
