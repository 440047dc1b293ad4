import dataclasses

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from ostinato_gesture.augmentation import AugmentationConfig
from ostinato_gesture.model import FEATURES, LANDMARKS
from ostinato_gesture.variation import hands_there, make_blending, make_variation, vary_sensors

NONE = AugmentationConfig(
    speed=0, time_warp=0, hold=0, crop=0, rotation=0, scale=0, place=0, reach=0, jitter=0, landmark_dropout=0,
    frame_dropout=0, mirror=0, confused_hands=0,
)  # fmt: skip


def test_labels_go_with_their_frames():
    """A feature that is the number of its frame says which label belongs to it."""
    config = dataclasses.replace(NONE, speed=0.25, time_warp=0.2, crop=0.1)
    features = np.arange(31, dtype=np.float32)[:, None]
    labels = np.arange(31)
    varied, varied_labels = make_variation(config, FEATURES)(features, labels, np.random.default_rng(3))
    assert len(varied) == len(varied_labels) != 31
    assert_allclose(varied[:, 0], varied_labels, atol=0.5)


def test_landmarks_that_are_not_varied_stay_as_they_are():
    landmarks = np.random.default_rng(4).normal(size=(5, 126)).astype(np.float32)
    landmarks[3, :63] = 0
    varied, labels = make_variation(NONE, LANDMARKS)(landmarks, np.arange(5), np.random.default_rng(3))
    assert_allclose(varied, landmarks, atol=1e-6)
    assert labels.tolist() == [0, 1, 2, 3, 4]
    assert_array_equal(hands_there(landmarks.reshape(5, 2, 21, 3))[3], [False, True])


def test_the_same_seed_varies_alike():
    landmarks = np.random.default_rng(4).normal(size=(9, 126)).astype(np.float32)
    vary = make_variation(AugmentationConfig(), LANDMARKS)
    one, other = (vary(landmarks, np.zeros(9, int), np.random.default_rng(5))[0] for _ in range(2))
    assert_array_equal(one, other)


def test_features_of_other_people_are_larger_or_elsewhere_but_move_alike():
    features = np.stack([np.sin(np.arange(40) / 3), np.full(40, 7.0)], axis=1).astype(np.float32)
    config = dataclasses.replace(NONE, scale=0.3, place=0.3)
    for seed in range(7):
        varied = vary_sensors(features, config, np.random.default_rng(seed))
        assert_allclose(varied[:, 1], 7.0, atol=1e-5)  # a sensor that never changes has no size
        assert np.corrcoef(varied[:, 0], features[:, 0])[0, 1] > 0.999
        assert 1 / 1.31 < varied[:, 0].std() / features[:, 0].std() < 1.31
    assert_array_equal(vary_sensors(features, NONE, np.random.default_rng(3)), features)


def test_points_turn_about_where_they_begin_and_other_columns_stay():
    features = np.random.default_rng(2).normal(size=(9, 6)).astype(np.float32)
    config = dataclasses.replace(NONE, rotation=40.0, points="1:0,2:3:4")
    varied = vary_sensors(features, config, np.random.default_rng(5))
    assert_array_equal(varied[:, 5], features[:, 5])
    for columns in ([1, 0], [2, 3, 4]):
        assert_allclose(varied[0, columns], features[0, columns], atol=1e-6)
        ways, turned = (each[1:, columns] - each[:1, columns] for each in (features, varied))
        assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(ways, axis=1), rtol=1e-4)
        assert np.abs(turned - ways).max() > 0.1
    flat = varied[1:, :2] - varied[:1, :2], features[1:, :2] - features[:1, :2]
    angles = np.subtract(*(np.arctan2(each[:, 0], each[:, 1]) for each in flat))
    angles = np.degrees((angles + np.pi) % (2 * np.pi) - np.pi)
    assert_allclose(angles, angles[0], atol=0.01)  # one turn for the whole sequence
    assert abs(angles[0]) <= 40


def test_landmarks_are_not_blended_since_hands_may_be_missing():
    config = dataclasses.replace(NONE, blended=0.5)
    blending = make_blending(config, FEATURES)
    assert blending is not None
    assert blending.share == 0.5
    assert make_blending(config, LANDMARKS) is None
    assert make_blending(NONE, FEATURES) is None
