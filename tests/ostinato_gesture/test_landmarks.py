import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from ostinato.errors import InputError, ModelError
from ostinato_gesture.hand_slots import LEFT, RIGHT
from ostinato_gesture.landmarks import BUNDLE, HandLandmarks

ROOT = Path(__file__).parents[2]
EMPTY = np.full((120, 160, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def loaded():
    with HandLandmarks() as hand_landmarks:
        yield hand_landmarks


@pytest.fixture
def hand_landmarks(loaded):
    loaded.restart()
    return loaded


def test_a_hand_is_found_in_heights_of_the_image_whatever_its_width(hand_landmarks, draw_scene):
    for width in (320, 560):
        hand_landmarks.restart()
        hands = hand_landmarks.detect(draw_scene((160, 200), width=width), 0.0)
        assert hands.presence.tolist() == [True, False]
        assert (hands.landmarks.shape, hands.landmarks.dtype) == ((2, 21, 3), np.float32)
        np.testing.assert_allclose(hands.landmarks[LEFT, 0, :2], (160 / 240, 200 / 240), atol=0.06)  # the wrist
        np.testing.assert_allclose(hands.landmarks[LEFT, 12, :2], (157 / 240, 123 / 240), atol=0.06)  # middle finger
        assert abs(hands.landmarks[LEFT, 0, 2]) < 0.01


def test_shares_for_drawing_are_of_width_and_height(hand_landmarks, draw_scene):
    (joints,) = hand_landmarks.detect(draw_scene((160, 200)), 0.0).shares(320, 240)
    np.testing.assert_allclose(joints[0, :2], (0.5, 200 / 240), atol=0.06)


def test_left_and_right_hands_have_their_slots_and_two_are_found_together(hand_landmarks, draw_scene):
    right = hand_landmarks.detect(draw_scene(mirrored=[(160, 200)]), 0.0)
    assert right.presence.tolist() == [False, True]
    assert right.handedness[RIGHT] > 0.5
    hand_landmarks.restart()
    both = hand_landmarks.detect(draw_scene((110, 200), width=420, mirrored=[(310, 200)]), 0.0)
    assert both.presence.tolist() == [True, True]
    assert both.landmarks[LEFT, 0, 0] < 0.6 < 1.1 < both.landmarks[RIGHT, 0, 0]
    assert both.handedness[LEFT] < 0.5 < both.handedness[RIGHT]


def test_world_landmarks_are_metres_around_the_hand(hand_landmarks, draw_scene):
    world = hand_landmarks.detect(draw_scene((160, 200)), 0.0).world_landmarks[LEFT]
    assert 0.05 < np.linalg.norm(world[12] - world[0]) < 0.3
    assert np.abs(world.mean(axis=0)).max() < 0.05


def test_frames_without_a_hand_are_told_and_not_dropped(hand_landmarks, draw_scene):
    scene = draw_scene((160, 200))
    empty = np.full_like(scene, 90)
    found = [hand_landmarks.detect(image, number / 15) for number, image in enumerate([empty, scene, empty, scene])]
    assert [hands.presence.any() for hands in found] == [False, True, False, True]
    assert not found[2].landmarks.any()
    assert not found[2].handedness.any()


def test_times_that_stand_still_or_go_back_are_moved_on(hand_landmarks):
    for time in (5.0, 5.0, 5.0001, 0.0, -3.0, 5.1):
        assert not hand_landmarks.detect(EMPTY, time).presence.any()


def test_what_is_found_does_not_depend_on_the_video_before(hand_landmarks, draw_scene):
    scene, other = draw_scene((160, 200)), draw_scene(mirrored=[(250, 190)])
    alone = hand_landmarks.detect(scene, 0.0)
    hand_landmarks.restart()
    hand_landmarks.detect(other, 7.0)
    hand_landmarks.restart()
    np.testing.assert_array_equal(hand_landmarks.detect(scene, 0.0).landmarks, alone.landmarks)


@pytest.mark.parametrize("shape", [(1, 1), (3, 701), (7, 2)])
def test_images_of_any_size_will_do_even_views_of_others(hand_landmarks, shape):
    image = np.zeros((shape[0], 2 * shape[1], 6), np.uint8)[:, ::-2, ::-2]
    assert not hand_landmarks.detect(image, 0.0).presence.any()


@pytest.mark.parametrize(
    "image", [EMPTY.astype(np.float32), EMPTY[:, :, 0], EMPTY[:0], np.zeros((5, 7, 4), np.uint8)], ids=str
)
def test_what_is_no_image_is_refused(hand_landmarks, image):
    with pytest.raises(InputError, match=r"must be uint8 \[height, width, 3\], is"):
        hand_landmarks.detect(image, 0.0)


def test_a_time_that_is_no_number_is_refused(hand_landmarks):
    with pytest.raises(InputError, match="must be a number of seconds, is nan"):
        hand_landmarks.detect(EMPTY, float("nan"))


def test_a_bundle_that_is_missing_or_damaged_is_named(tmp_path):
    damaged = tmp_path / "damaged.task"
    damaged.write_bytes(BUNDLE.read_bytes()[:5000])
    for path in (damaged, tmp_path / "gone.task"):
        with pytest.raises(ModelError, match=rf"{path.name} cannot be opened as a bundle"):
            HandLandmarks(bundle=path)


def test_closing_twice_does_nothing():
    hand_landmarks = HandLandmarks(1)
    hand_landmarks.close()
    hand_landmarks.close()


def test_the_bundle_lies_in_the_package_with_its_terms():
    assert BUNDLE.stat().st_size > 7_000_000
    assert "Apache License" in BUNDLE.with_suffix(".NOTICE").read_text()


def test_nothing_is_written_to_standard_error_and_importing_the_module_starts_nothing(tmp_path, draw_scene):
    np.save(tmp_path / "scene.npy", draw_scene((160, 200)))
    script = """
        import os, sys
        import numpy as np
        import ostinato_gesture.landmarks as module

        assert not {"mediapipe", "tensorflow", "keras", "cv2"} & set(sys.modules)
        scene = np.load(sys.argv[1])
        for _ in range(2):
            with module.HandLandmarks() as hand_landmarks:
                images = [0 * scene, 0 * scene, scene, scene, scene]
                found = [hand_landmarks.detect(image, time).presence.any() for time, image in enumerate(images)]
            print(*(int(one) for one in found))
        left_open = module.HandLandmarks(1)  # until the interpreter ends
        left_open.detect(scene, 0.0)
        os.write(2, b"own message")
        """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))}
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "scene.npy")],
        capture_output=True,
        text=True,
        env={**kept, "PYTHONPATH": os.pathsep.join([str(ROOT / "shared"), str(ROOT / "apps")])},
        check=False,
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "0 0 1 1 1\n0 0 1 1 1\n", "own message")
