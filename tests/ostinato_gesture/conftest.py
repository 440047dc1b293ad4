"""A hand: drawn so that MediaPipe takes it for one, and as landmarks that move."""

import itertools

import cv2
import numpy as np
import pytest

SKIN, BACKGROUND = (224, 172, 138), (70, 90, 110)
# From the wrist, in pixels; the palm of a left hand, fingers spread upwards: knuckle, two joints, tip.
FINGERS = {
    "thumb": [(-28, -25), (-45, -45), (-58, -62), (-68, -76)],
    "index": [(-22, -70), (-27, -100), (-29, -122), (-30, -140)],
    "middle": [(-5, -75), (-6, -110), (-6, -134), (-6, -154)],
    "ring": [(12, -72), (15, -104), (17, -126), (18, -144)],
    "little": [(28, -62), (34, -86), (38, -102), (41, -116)],
}
WIDTHS = {"thumb": 20, "index": 17, "middle": 17, "ring": 17, "little": 14}
PALM = [(-24, 0), (-36, -25), (-32, -72), (-5, -80), (20, -76), (37, -60), (34, -25), (22, 0)]
ARM = [(-20, 60), (20, 60), (22, 0), (-22, 0)]


def _draw_hand(image, wrist, *, scale=0.5, mirrored=False):
    def place(point):
        x, y = point
        return int(wrist[0] + scale * (-x if mirrored else x)), int(wrist[1] + scale * y)

    shade = tuple(int(0.75 * value) for value in SKIN)
    for outline in (ARM, PALM):
        cv2.fillPoly(image, [np.array([place(point) for point in outline])], SKIN)
    for colour, wider in ((shade, 2), (SKIN, 0)):
        for name, points in FINGERS.items():
            root = (0.8 * points[0][0], 0.8 * points[0][1])
            chain = points if wider else [root, *points]
            for start, end in itertools.pairwise(chain):
                thickness = int(scale * WIDTHS[name]) + wider
                cv2.line(image, place(start), place(end), colour, thickness, cv2.LINE_AA)


def _draw_scene(*wrists, width=320, height=240, mirrored=()):
    """Returns uint8 [H, W, 3] with a left hand at each of the wrists, a right one at those in `mirrored`."""
    image = np.full((height, width, 3), BACKGROUND, np.uint8)
    for wrist in wrists:
        _draw_hand(image, wrist)
    for wrist in mirrored:
        _draw_hand(image, wrist, mirrored=True)
    return cv2.GaussianBlur(image, (3, 3), 0)


@pytest.fixture(scope="session")
def draw_scene():
    return _draw_scene


@pytest.fixture
def hand():
    """Joints of a right hand, float32 [21, 3], its wrist at the origin and its palm about 1 long."""
    random = np.random.default_rng(5)
    joints = [(0.0, 0.0), *(point for points in FINGERS.values() for point in points)]
    flat = np.array(joints) / 75 * (-1, 1)
    depth = np.concatenate([[0], random.uniform(-0.3, 0.1, 20)])
    return np.concatenate([flat, depth[:, None]], axis=1).astype(np.float32)


@pytest.fixture
def waving(hand):
    """One hand after the other through 13 frames of a picture, float32 [13, 2, 21, 3] and bool [13, 2].

    The right hand waves and bends its fingers, and is lost in frames 6 and 7; the left one comes in frame 4, and rests.
    """
    random = np.random.default_rng(7)
    time = np.arange(13)[:, None, None]
    bent = hand * (1 + 0.2 * np.sin(time / 2 + np.arange(21)[:, None]))
    right = 0.1 * bent + np.array([0.6, 0.5, 0]) + 0.08 * np.sin(time) * np.array([1, 0.5, 0])
    left = 0.12 * hand * (-1, 1, 1) + np.array([1.1, 0.8, 0]) + random.normal(0, 0.002, (13, 21, 3))
    presence = np.ones((13, 2), bool)
    presence[:4, 0] = presence[6:8, 1] = False
    landmarks = np.stack([left, right], axis=1) * presence[:, :, None, None]
    return landmarks.astype(np.float32), presence
