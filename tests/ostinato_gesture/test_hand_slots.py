import numpy as np
import pytest

from ostinato_gesture.hand_slots import LEFT, RIGHT, HandSlots


@pytest.fixture
def at(hand):
    """A function from the place of a wrist to the joints of a hand there."""
    return lambda x, y=0.5: 0.1 * hand + np.array([x, y, 0], np.float32)


def test_a_hand_lies_in_the_slot_of_its_side(at):
    assert HandSlots().assign([at(0.3)], [0.9]) == {RIGHT: 0}
    assert HandSlots().assign([at(0.3)], [0.2]) == {LEFT: 0}
    assert HandSlots().assign([at(0.3), at(0.9)], [0.9, 0.1]) == {RIGHT: 0, LEFT: 1}
    assert HandSlots().assign([], []) == {}


def test_two_hands_never_share_a_slot(at):
    assert HandSlots().assign([at(0.3), at(0.9)], [0.9, 0.8]) == {RIGHT: 0, LEFT: 1}
    assert HandSlots().assign([at(0.3), at(0.9)], [0.1, 0.3]) == {LEFT: 0, RIGHT: 1}


def test_a_hand_keeps_its_slot_when_it_is_mistaken_for_a_few_frames(at):
    slots = HandSlots()
    judged = [0.95] * 5 + [0.05] * 3 + [0.95] * 4
    assert [slots.assign([at(0.3 + 0.02 * frame)], [right]) for frame, right in enumerate(judged)] == [{RIGHT: 0}] * 12


def test_a_hand_that_was_mistaken_at_first_comes_into_its_slot(at):
    slots = HandSlots()
    found = [slots.assign([at(0.3)], [right]) for right in [0.05] + [0.95] * 12]
    assert found[0] == {LEFT: 0}
    assert found[-1] == {RIGHT: 0}
    assert found == sorted(found, key=lambda slot: RIGHT in slot)  # it changes once


def test_hands_are_followed_by_place_in_whatever_order_they_are_found(at):
    slots = HandSlots()
    slots.assign([at(0.3), at(0.9)], [0.9, 0.1])
    assert slots.assign([at(0.88), at(0.32)], [0.6, 0.4]) == {RIGHT: 1, LEFT: 0}


def test_a_hand_keeps_its_slot_over_a_short_gap_and_is_judged_anew_after_a_long_one(at):
    for gap, expected in ((5, RIGHT), (40, LEFT)):
        slots = HandSlots()
        slots.assign([at(0.3)], [0.95])
        for _ in range(gap):
            slots.assign([], [])
        assert slots.assign([at(0.32)], [0.2]) == {expected: 0}


def test_a_hand_far_from_where_one_was_is_another_one(at):
    slots = HandSlots()
    for _ in range(5):
        slots.assign([at(0.2)], [0.95])
    assert slots.assign([at(1.4)], [0.2]) == {LEFT: 0}


def test_of_a_hand_found_twice_the_surer_one_is_kept(at):
    assert HandSlots().assign([at(0.3), at(0.31)], [0.6, 0.1]) == {LEFT: 1}
