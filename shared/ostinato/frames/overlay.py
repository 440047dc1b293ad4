"""What a network says of a video, drawn onto its frames: label, confidence, its curve, hands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np

from ostinato.frames.colours import Colour, label_colours
from ostinato.frames.lettering import draw_text, text_width

CURVE_SECONDS = 10.0
_MOST_CURVE_POINTS = 2048  # of a source whose clock stands still
_WHITE: Colour = (255, 255, 255)
_FAINT: Colour = (205, 205, 210)
_SHADE = 0.38  # what is left of the picture's brightness under text

# The joints of a hand, numbered as MediaPipe does: the wrist is 0, a thumb and four fingers have four joints each.
HAND_BONES: tuple[tuple[int, int], ...] = (
    *((0, 1), (1, 2), (2, 3), (3, 4)),
    *((0, 5), (5, 6), (6, 7), (7, 8)),
    *((5, 9), (9, 10), (10, 11), (11, 12)),
    *((9, 13), (13, 14), (14, 15), (15, 16)),
    *((13, 17), (17, 18), (18, 19), (19, 20), (0, 17)),
)
_HAND_COLOURS: tuple[Colour, ...] = ((72, 202, 228), (255, 183, 3))


class Overlay:
    """Draws the label of each frame, and a curve of how sure the network was of late.

    Its memory holds a few seconds of confidences, however long the video is.

    Args:
      labels: in their order, which gives each its colour.
      curve_seconds: how much of the past the curve shows; 0 draws none.
    """

    def __init__(self, labels: Iterable[str], curve_seconds: float = CURVE_SECONDS):
        self.colours: Mapping[str, Colour] = label_colours(labels)
        self.curve_seconds = curve_seconds
        self._past: deque[tuple[float, float, Colour]] = deque(maxlen=_MOST_CURVE_POINTS)

    def draw(
        self,
        image: np.ndarray,
        time: float,
        label: str,
        confidence: float,
        *,
        lines: Sequence[str] = (),
        hands: Iterable[np.ndarray] = (),
    ) -> np.ndarray:
        """Returns a copy of a frame with what is said of it.

        Args:
          image: uint8 [H, W, 3], RGB.
          time: of the frame, in seconds.
          label: of the frame; one that is not among the overlay's is drawn in white.
          confidence: from 0 to 1.
          lines: small lines of text at the upper right, such as frame rates.
          hands: joints of each hand, float [21, 2 or more]: x and y as shares of the width and height.
        """
        image = np.ascontiguousarray(image).copy()
        for number, joints in enumerate(hands):
            draw_hand(image, joints, _HAND_COLOURS[number % len(_HAND_COLOURS)])
        unit = max(9, round(min(image.shape[:2]) / 22))  # the height of small text, in pixels
        colour = self.colours.get(label, _WHITE)
        if self.curve_seconds > 0:
            self._remember(time, confidence, colour)
            self._draw_curve(image, time, 3 * unit)
        _draw_lines(image, lines, unit)
        _draw_label(image, label, confidence, colour, unit)
        return image

    def _remember(self, time: float, confidence: float, colour: Colour) -> None:
        if self._past and time < self._past[-1][0]:
            self._past.clear()  # another video, or one that began anew
        self._past.append((time, min(1.0, max(0.0, confidence)), colour))
        while self._past[0][0] < time - self.curve_seconds:
            self._past.popleft()

    def _draw_curve(self, image: np.ndarray, now: float, height: int) -> None:
        """Draws confidences along the lower edge, now at the right."""
        rows, columns = image.shape[:2]
        _shade(image[rows - height :])
        room = height - 4
        times, confidences = np.array([(time, confidence) for time, confidence, _ in self._past]).T
        x = np.round((columns - 1) * (1 - (now - times) / self.curve_seconds)).astype(int)
        y = np.round(rows - 3 - room * confidences).astype(int)
        middle = rows - 3 - room // 2
        cv2.line(image, (0, middle), (columns - 1, middle), (110, 110, 118), 1)
        thickness = max(1, height // 24)
        # A line for each run of one colour, not for each pair of points: runs are few.
        first = 0
        for last in range(1, len(self._past)):
            ends = last == len(self._past) - 1 or self._past[last][2] != self._past[last + 1][2]
            if ends:
                points = np.stack([x[first : last + 1], y[first : last + 1]], axis=1).astype(np.int32)
                cv2.polylines(image, [points], False, self._past[last][2], thickness, cv2.LINE_AA)
                first = last
        cv2.circle(image, (int(x[-1]), int(y[-1])), 2 * thickness, self._past[-1][2], -1, cv2.LINE_AA)


def draw_hand(image: np.ndarray, joints: np.ndarray, colour: Colour = _HAND_COLOURS[0]) -> None:
    """Draws the skeleton of a hand into an image.

    Args:
      image: uint8 [H, W, 3], contiguous, which is changed.
      joints: float [21, 2 or more], x and y as shares of the width and height; a hand that was not found (NaN) is
        not drawn.
      colour: of bones.
    """
    if not np.isfinite(joints[:, :2]).all():
        return
    rows, columns = image.shape[:2]
    # Joints may lie outside the picture, but not so far that OpenCV's whole numbers run over.
    shares = np.clip(joints[:, :2], -2, 3)
    places = [(int(x), int(y)) for x, y in np.round(shares * (columns - 1, rows - 1))]
    thickness = max(1, round(min(rows, columns) / 160))
    for start, end in HAND_BONES:
        cv2.line(image, places[start], places[end], colour, thickness, cv2.LINE_AA)
    for place in places:
        cv2.circle(image, place, thickness + 1, _WHITE, -1, cv2.LINE_AA)


def _draw_label(image: np.ndarray, label: str, confidence: float, colour: Colour, unit: int) -> None:
    """Writes the label at the upper left, large, with a bar beneath that is as long as the network is sure."""
    height, margin = 2 * unit, unit // 2
    percent = f"{100 * confidence:.0f} %"
    beside = text_width("100 %", unit) + margin
    width = min(image.shape[1], text_width(label, height) + beside + 3 * margin)
    bar = max(2, unit // 4)
    box = image[: height + 2 * margin + bar, :width]
    _shade(box)
    written = draw_text(box[:, : width - beside - margin], label, (margin, margin // 2), height=height, colour=_WHITE)
    draw_text(
        box, percent, (2 * margin + written, margin // 2 + height - round(1.25 * unit)), height=unit, colour=_FAINT
    )
    long = round(min(1.0, max(0.0, confidence)) * width)
    box[-bar:, :long] = colour


def _draw_lines(image: np.ndarray, lines: Sequence[str], unit: int) -> None:
    if not lines:
        return
    margin = unit // 2
    width = min(image.shape[1], max(text_width(line, unit) for line in lines) + 2 * margin)
    _shade(image[: len(lines) * (unit + margin) + margin, image.shape[1] - width :])
    for number, line in enumerate(lines):
        place = (image.shape[1] - width + margin, margin + number * (unit + margin) - margin // 2)
        draw_text(image, line, place, height=unit, colour=_FAINT)


def _shade(region: np.ndarray) -> None:
    """Darkens a part of an image in place."""
    region[:] = cv2.convertScaleAbs(np.ascontiguousarray(region), alpha=_SHADE) if region.size else region
