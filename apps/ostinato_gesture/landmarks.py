"""Where the joints of hands are in a frame: MediaPipe's hand landmarker, quiet, with slots that hands keep."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import weakref
from collections.abc import Sequence
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ostinato.commands import quiet_tensorflow
from ostinato.errors import InputError, ModelError
from ostinato_gesture.hand_slots import HandSlots
from ostinato_gesture.native_messages import ANYTHING, without_chatter

BUNDLE = Path(__file__).with_name("hand_landmarker.task")
NUM_SLOTS, NUM_JOINTS = 2, 21


@dataclasses.dataclass(frozen=True)
class Hands:
    """The hands of one frame: the left one in slot 0, the right one in slot 1. All zero where there is none.

    Left and right are those of the person, if the picture is not mirrored; if it is, both are exchanged.
    """

    landmarks: np.ndarray
    """float32 [2, 21, 3]: x to the right and y downwards from the upper left corner, both in heights of the image; z
    away from the camera, zero at the wrist, in about the same unit"""
    world_landmarks: np.ndarray
    """float32 [2, 21, 3], metres from the middle of each hand"""
    presence: np.ndarray
    """bool [2], whether there is a hand"""
    handedness: np.ndarray
    """float32 [2], how likely each is a right hand as judged from this frame alone; the slot is judged from all"""

    def shares(self, width: int, height: int) -> list[np.ndarray]:
        """Returns the joints of each hand that is there, float32 [21, 3], as shares of width and height for drawing."""
        return [joints / np.array((width / height, 1, 1), np.float32) for joints in self.landmarks[self.presence]]


class HandLandmarks:
    """Finds hands in the frames of one video or camera, in their order, and follows them.

        with HandLandmarks() as hand_landmarks:
            hands = [hand_landmarks.detect(frame.image, frame.time) for frame in frames]

    Loading takes about a tenth of a second, besides two seconds or more for importing MediaPipe; a frame takes 12 to
    14 ms on one core with one hand in view, and more while fewer than `num_hands` are.

    Args:
      num_hands: how many are looked for, 1 or 2.
      detection_confidence: from 0 to 1, for taking something for a hand.
      presence_confidence: from 0 to 1, for going on to take it for a hand.
      tracking_confidence: from 0 to 1, for taking it for the same hand in the next frame.
      bundle: file of MediaPipe's hand landmarker; the one that comes with the package where not given.

    Raises:
      ModelError: the bundle is missing or damaged.

    Reference: Zhang et al. 2020, "MediaPipe Hands".
    """

    def __init__(
        self,
        num_hands: int = NUM_SLOTS,
        *,
        detection_confidence: float = 0.5,
        presence_confidence: float = 0.5,
        tracking_confidence: float = 0.5,
        bundle: Path = BUNDLE,
    ):
        self.num_hands = num_hands
        self._confidences = {
            "min_hand_detection_confidence": detection_confidence,
            "min_hand_presence_confidence": presence_confidence,
            "min_tracking_confidence": tracking_confidence,
        }
        self._bundle = bundle
        self._modules = _import_mediapipe()
        self.restart()
        _open.add(self)

    def restart(self) -> None:
        """Forgets all that was seen, for another video: what is found there does not depend on this one."""
        self.close()
        self._slots = HandSlots()
        self._milliseconds = -1
        self._has_seen_a_hand = False
        _, landmarker, options, mode = self._modules
        chosen = landmarker.HandLandmarkerOptions(
            base_options=options.BaseOptions(model_asset_path=str(self._bundle)),
            running_mode=mode.VisionTaskRunningMode.VIDEO,
            num_hands=self.num_hands,
            **self._confidences,
        )
        try:
            with without_chatter():
                self._landmarker = landmarker.HandLandmarker.create_from_options(chosen)
        except (OSError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"{self._bundle} cannot be opened as a bundle of hand landmark models ({error}); install ostinato anew "
                "or give another bundle."
            ) from error

    def detect(self, image: np.ndarray, time: float) -> Hands:
        """Finds the hands of the next frame.

        Args:
          image: uint8 [H, W, 3], RGB.
          time: of the frame, in seconds. One that is not after the frame before (a file that begins anew, a camera
            that came back) is taken as a millisecond after it.

        Returns:
          the hands; a frame without any gives one as well.

        Raises:
          InputError: the image is no such array, or the time no number.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise InputError(f"A frame must be uint8 [height, width, 3], is {image.dtype} {list(image.shape)}.")
        if not np.isfinite(time):
            raise InputError(f"The time of a frame must be a number of seconds, is {time}.")
        if self._landmarker is None:
            raise ValueError("the landmarks were closed")
        self._milliseconds = max(self._milliseconds + 1, round(1000 * time))
        module = self._modules[0]
        picture = module.Image(image_format=module.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        # Warnings come with the first hand, once; afterwards there is nothing to hold back.
        with contextlib.nullcontext() if self._has_seen_a_hand else without_chatter():
            found = self._landmarker.detect_for_video(picture, self._milliseconds)
        self._has_seen_a_hand |= bool(found.hand_landmarks)
        return self._hands(found, image.shape[1] / image.shape[0])

    def _hands(self, found: Any, aspect: float) -> Hands:
        """Sorts what was found into slots."""
        joints = [_points(hand) * np.array((aspect, 1, aspect), np.float32) for hand in found.hand_landmarks]
        right = [_right_handedness(categories[0]) for categories in found.handedness]
        hands = Hands(
            landmarks=np.zeros((NUM_SLOTS, NUM_JOINTS, 3), np.float32),
            world_landmarks=np.zeros((NUM_SLOTS, NUM_JOINTS, 3), np.float32),
            presence=np.zeros(NUM_SLOTS, bool),
            handedness=np.zeros(NUM_SLOTS, np.float32),
        )
        for slot, number in self._slots.assign(joints, right).items():
            hands.landmarks[slot] = joints[number]
            hands.world_landmarks[slot] = _points(found.hand_world_landmarks[number])
            hands.presence[slot] = True
            hands.handedness[slot] = right[number]
        return hands

    def close(self) -> None:
        """Frees the models. Closing twice does nothing."""
        landmarker, self._landmarker = getattr(self, "_landmarker", None), None
        if landmarker is not None:
            landmarker.close()

    def __enter__(self) -> HandLandmarks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


# What MediaPipe closes by itself when the interpreter ends, it closes too late, with a traceback.
_open: weakref.WeakSet[HandLandmarks] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for hand_landmarks in list(_open):
        hand_landmarks.close()


def _points(hand: Sequence[Any]) -> np.ndarray:
    """Returns x, y, z of MediaPipe's landmarks, float32 [21, 3]."""
    return np.array([(joint.x, joint.y, joint.z) for joint in hand], np.float32)


def _right_handedness(category: Any) -> float:
    """Returns how likely a hand is a right one."""
    return category.score if category.category_name == "Right" else 1.0 - category.score


def _import_mediapipe() -> tuple[Any, Any, Any, Any]:
    """Imports what is needed of MediaPipe, and nothing is written unless that fails."""
    if util.find_spec("tensorflow"):
        quiet_tensorflow()  # MediaPipe imports it where it is installed, with all its messages
    with without_chatter(ANYTHING):  # Matplotlib, which it imports too, says that it builds a cache
        from mediapipe.tasks.python.core import base_options
        from mediapipe.tasks.python.vision import hand_landmarker
        from mediapipe.tasks.python.vision.core import image, vision_task_running_mode
    return image, hand_landmarker, base_options, vision_task_running_mode
