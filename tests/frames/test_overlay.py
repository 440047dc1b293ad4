import sys

import numpy as np
import pytest

from ostinato.frames.overlay import HAND_BONES, Overlay, draw_hand

ORANGE = (242, 142, 43)
BLUE = (78, 121, 167)


def scene(height=180, width=241):
    return np.random.default_rng(3).integers(120, 200, (height, width, 3), np.uint8)


def count(image, colour, tolerance=25):
    return int((np.abs(image.astype(int) - colour).max(axis=-1) <= tolerance).sum())


def test_a_frame_keeps_its_size_and_is_not_changed_itself():
    image = scene()
    before = image.copy()
    drawn = Overlay(["walk"]).draw(image, 0.0, "walk", 0.5)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert np.array_equal(image, before)
    assert not np.array_equal(drawn, before)


def test_the_bar_under_the_label_is_as_long_as_the_network_is_sure():
    bars = []
    for confidence in (0.0, 0.3, 0.9):
        drawn = Overlay(["walk"], curve_seconds=0).draw(scene(), 0.0, "walk", confidence)
        bars.append(count(drawn, BLUE, tolerance=0))
    assert bars[0] == 0
    assert bars[2] == pytest.approx(3 * bars[1], rel=0.1)


def test_labels_of_other_scripts_are_drawn_as_they_are():
    drawings = [Overlay([label]).draw(scene(), 0.0, label, 0.5) for label in ("ходьба", "??????", "прыжок")]
    assert not np.array_equal(drawings[0], drawings[1])
    assert not np.array_equal(drawings[0], drawings[2])


def test_the_curve_shows_the_last_seconds_in_the_colours_of_their_labels():
    overlay = Overlay(["walk", "sit"], curve_seconds=4)
    for number in range(20):
        drawn = overlay.draw(scene(), number / 5, "walk", 0.8)
    lower = drawn[150:]
    assert count(lower, BLUE) > 50
    assert count(lower, ORANGE) == 0
    for number in range(20, 60):
        drawn = overlay.draw(scene(), number / 5, "sit", 0.8)
    lower = drawn[150:]
    assert count(lower, BLUE) == 0
    assert count(lower, ORANGE) > 50


def test_the_curve_rises_with_confidence():
    heights = []
    for confidence in (0.1, 0.9):
        overlay = Overlay(["walk"])
        for number in range(9):
            drawn = overlay.draw(scene(), number / 3, "walk", confidence)
        rows = np.nonzero((np.abs(drawn[140:].astype(int) - BLUE).max(axis=-1) < 30).any(axis=1))[0]
        heights.append(rows.mean())
    assert heights[1] < heights[0] - 5


def test_the_past_of_an_overlay_is_bounded_also_when_time_stands_still():
    overlay = Overlay(["walk"])
    for number in range(5000):
        overlay._remember(number / 25, 0.5, BLUE)
    assert len(overlay._past) <= 252
    for _ in range(5000):
        overlay._remember(200.0, 0.5, BLUE)
    assert len(overlay._past) <= 2048
    overlay._remember(1.0, 0.5, BLUE)  # another video
    assert len(overlay._past) == 1


def test_lines_of_text_stand_at_the_upper_right():
    plain = Overlay(["walk"], 0).draw(scene(), 0.0, "walk", 0.5)
    lines = Overlay(["walk"], 0).draw(scene(), 0.0, "walk", 0.5, lines=["latency 23 ms", "25 frames/s"])
    rows, columns = np.nonzero((plain != lines).any(axis=-1))
    assert columns.min() > 100
    assert rows.max() < 60


def test_each_hand_is_drawn_where_it_is_and_a_missing_one_is_not():
    joints = np.random.default_rng(5).uniform(0.6, 0.9, (21, 3))
    drawn = Overlay(["walk"], 0).draw(scene(), 0.0, "walk", 0.5, hands=[joints])
    plain = Overlay(["walk"], 0).draw(scene(), 0.0, "walk", 0.5)
    rows, columns = np.nonzero((plain != drawn).any(axis=-1))
    assert rows.min() > 0.5 * 180
    assert columns.min() > 0.5 * 241
    missing = Overlay(["walk"], 0).draw(scene(), 0.0, "walk", 0.5, hands=[np.full((21, 3), np.nan)])
    assert np.array_equal(missing, plain)


def test_joints_far_outside_the_picture_do_no_harm():
    image = scene()
    draw_hand(image, np.full((21, 2), 1e9))
    assert image.shape == (180, 241, 3)


def test_every_joint_of_a_hand_hangs_on_a_bone():
    assert {joint for bone in HAND_BONES for joint in bone} == set(range(21))
    assert len(set(HAND_BONES)) == 21


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 3), (17, 400), (400, 17)])
def test_frames_of_odd_sizes_are_drawn_on(height, width):
    overlay = Overlay(["walk"])
    for number in range(3):
        drawn = overlay.draw(
            scene(height, width), number, "walk" * 9, sys.float_info.epsilon, lines=["25 frames/s"] * 3
        )
        assert drawn.shape == (height, width, 3)
