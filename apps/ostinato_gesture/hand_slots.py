"""Which of the hands in a frame is the left one, and which the right: judged over time, not frame by frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

LEFT, RIGHT = 0, 1
_FORGET_AFTER = 15  # frames without a hand
_REACH = 3.0  # palm sizes a hand moves between two frames at most
_MOMENTUM = 0.9  # of the votes: one wrong frame among ten right ones changes nothing
_SAME_PLACE = 0.4  # palm sizes; two hands so near each other are one, found twice


@dataclasses.dataclass
class _Track:
    """A hand that is followed."""

    joints: np.ndarray
    votes: float  # from -1, surely left, to 1, surely right
    missed: int = 0


class HandSlots:
    """Gives each hand of a frame a slot, left or right, that it keeps.

    Handedness is told for each frame on its own and sometimes wrongly; a hand that changed its slot would look like
    one hand that vanishes and another that appears. Hands are followed by place, and their handedness is a running
    average.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []

    def assign(self, joints: Sequence[np.ndarray], right: Sequence[float]) -> dict[int, int]:
        """Reads the next frame.

        Args:
          joints: of each hand found, two at most, float [21, 3] in one unit for both axes.
          right: how likely each is a right hand, 0 to 1.

        Returns:
          from slot (0 left, 1 right) to the number of the hand in it. Where the same hand was found twice, the surer
          one is kept.
        """
        numbers = _without_twins(joints, right)
        followed = self._follow([joints[number] for number in numbers])
        for place, number in enumerate(numbers):
            vote = 2.0 * right[number] - 1.0
            track = followed.get(place)
            if track is None:
                followed[place] = track = _Track(joints[number], vote)
                self._tracks.append(track)
            track.joints, track.missed = joints[number], 0
            track.votes = _MOMENTUM * track.votes + (1 - _MOMENTUM) * vote
        for track in self._tracks:
            track.missed += all(track is not other for other in followed.values())
        self._tracks = [track for track in self._tracks if track.missed <= _FORGET_AFTER]
        if len(numbers) == 2:
            left, other = sorted(range(2), key=lambda place: followed[place].votes)
            return {LEFT: numbers[left], RIGHT: numbers[other]}
        return {RIGHT if followed[place].votes > 0 else LEFT: number for place, number in enumerate(numbers)}

    def _follow(self, joints: Sequence[np.ndarray]) -> dict[int, _Track]:
        """Returns which hand goes on which track: the nearest pairs first."""
        pairs = sorted(
            (_distance(track.joints, hand), place, number)
            for number, track in enumerate(self._tracks)
            for place, hand in enumerate(joints)
        )
        followed: dict[int, _Track] = {}
        taken: set[int] = set()
        for distance, place, number in pairs:
            reach = _REACH * (1 + self._tracks[number].missed)
            if place not in followed and number not in taken and distance <= reach:
                followed[place] = self._tracks[number]
                taken.add(number)
        return followed


def palm_size(joints: np.ndarray) -> float:
    """Returns the mean length of the palm's bones from the wrist to three knuckles, in the unit of joints [21, 3]."""
    return float(np.linalg.norm(joints[[5, 9, 17]] - joints[0], axis=-1).mean())


def _distance(joints: np.ndarray, others: np.ndarray) -> float:
    """Returns how far apart two hands are in the picture, in palm sizes of the larger one."""
    size = max(palm_size(joints), palm_size(others), 1e-6)
    return float(np.linalg.norm(joints[:, :2] - others[:, :2], axis=-1).mean()) / size


def _without_twins(joints: Sequence[np.ndarray], right: Sequence[float]) -> list[int]:
    """Returns the numbers of the hands, less one of two that lie on each other."""
    numbers = list(range(len(joints)))
    if len(numbers) == 2 and _distance(joints[0], joints[1]) < _SAME_PLACE:
        return [max(numbers, key=lambda number: abs(right[number] - 0.5))]
    return numbers
