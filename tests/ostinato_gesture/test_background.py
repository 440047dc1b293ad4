import numpy as np
from numpy.testing import assert_allclose

from ostinato_gesture.background import between_features, between_landmarks, make_between
from ostinato_gesture.model import FEATURES, LANDMARKS


def hand(slot, seed):
    frame = np.zeros((2, 21, 3), np.float32)
    frame[slot] = np.random.default_rng(seed).normal(size=(21, 3))
    return frame.reshape(-1)


def test_hands_begin_and_end_where_the_gestures_beside_do():
    before, after = hand(1, 1), hand(1, 2)
    for seed in range(17):
        frames = between_landmarks(before, after, np.random.default_rng(seed))
        assert 4 <= len(frames) <= 40
        assert frames.dtype == np.float32
        if frames[0].any() and frames[-1].any():
            assert_allclose(frames[[0, -1]], [before, after], atol=1e-5)


def test_hands_that_nobody_showed_do_not_appear():
    for seed in range(7):
        frames = between_landmarks(hand(1, 1), hand(1, 2), np.random.default_rng(seed)).reshape(-1, 2, 21, 3)
        assert not frames[:, 0].any()


def test_one_hand_gives_way_to_the_other_without_a_hand_in_two_places():
    frames = between_landmarks(hand(0, 1), hand(1, 2), np.random.default_rng(3)).reshape(-1, 2, 21, 3)
    there = frames.any(axis=(2, 3))
    assert there.any(axis=0).all()
    assert not np.all(there, axis=1).any()


def test_hands_are_out_of_sight_at_times():
    hidden = [
        not between_landmarks(hand(1, 1), hand(1, 2), np.random.default_rng(seed)).any(axis=1).all()
        for seed in range(31)
    ]
    assert 0 < sum(hidden) < 31


def test_features_lie_between_those_of_both_ends():
    before, after = np.array([0.0, 3.0]), np.array([1.0, -3.0])
    frames = between_features(before, after, np.random.default_rng(5))
    assert_allclose(frames[[0, -1]], [before, after])
    assert (frames >= [0, -3]).all()
    assert (frames <= [1, 3]).all()


def test_each_kind_of_sequence_has_its_own():
    assert make_between(LANDMARKS) is between_landmarks
    assert make_between(FEATURES) is between_features
