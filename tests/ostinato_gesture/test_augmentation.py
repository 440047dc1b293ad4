import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.errors import ConfigError
from ostinato_gesture.augmentation import AugmentationConfig, mirror, resample, vary, vary_times
from ostinato_gesture.features import LandmarkFeatures

NOTHING = AugmentationConfig(
    **{field.name: 0.0 for field in dataclasses.fields(AugmentationConfig) if field.name != "points"}
)
SEEDS = range(40)


def only(**changes):
    return dataclasses.replace(NOTHING, **changes)


def lengths_of_palms(landmarks):
    return np.linalg.norm(landmarks[:, :, 9] - landmarks[:, :, 0], axis=-1)


def test_without_any_variation_a_sequence_stays_as_it_is(waving):
    landmarks, presence = waving
    varied = vary(landmarks, presence, NOTHING, seed=3)
    assert_array_equal(varied.landmarks, landmarks)
    assert_array_equal(varied.presence, presence)
    assert_array_equal(varied.times, np.arange(13))


def test_variations_depend_on_the_seed_alone(waving):
    landmarks, presence = waving
    first, again, other = (vary(landmarks, presence, AugmentationConfig(), seed=seed) for seed in (3, 3, 4))
    for one, same in zip(first, again, strict=True):
        assert_array_equal(one, same)
    assert first.landmarks.shape != other.landmarks.shape or np.any(first.landmarks != other.landmarks)


@pytest.mark.parametrize("frames", [1, 2, 13])
def test_whatever_happens_a_sequence_remains_one(waving, frames):
    landmarks, presence = waving[0][:frames], waving[1][:frames]
    for seed in SEEDS:
        varied = vary(landmarks, presence, AugmentationConfig(), seed=seed)
        length = len(varied.times)
        assert varied.landmarks.shape == (length, 2, 21, 3)
        assert (varied.landmarks.dtype, varied.presence.dtype) == (np.float32, bool)
        assert 1 <= length <= 1.3 * frames + 1 + 75
        assert np.isfinite(varied.landmarks).all()
        assert_array_equal(np.any(varied.landmarks != 0, axis=(2, 3)), varied.presence)
        assert np.all(np.diff(varied.times) >= 0)
        assert 0 <= varied.times.min() <= varied.times.max() <= frames - 1


def test_a_sequence_without_hands_stays_without(waving):
    varied = vary(0 * waving[0], np.zeros_like(waving[1]), AugmentationConfig(), seed=3)
    assert not varied.presence.any()
    assert not varied.landmarks.any()


def test_the_input_is_left_alone(waving):
    landmarks, presence = waving[0].copy(), waving[1].copy()
    vary(landmarks, presence, AugmentationConfig(mirror=1, confused_hands=1), seed=3)
    assert_array_equal(landmarks, waving[0])
    assert_array_equal(presence, waving[1])


def test_speed_changes_the_length_both_ways_and_evenly():
    lengths = [len(vary_times(101, only(speed=0.25), np.random.default_rng(seed))) for seed in SEEDS]
    assert 81 <= min(lengths) < 90
    assert 115 < max(lengths) <= 126
    times = vary_times(101, only(speed=0.25), np.random.default_rng(1))
    assert_allclose(np.diff(times), np.diff(times)[0], rtol=1e-3)
    assert (times[0], times[-1]) == (0, 100)


def test_a_held_sequence_keeps_still_once_in_its_middle_half():
    held = set()
    for seed in SEEDS:
        times = vary_times(101, only(hold=1), np.random.default_rng(seed))
        still = np.flatnonzero(np.diff(times) == 0)
        held.add(len(still))
        assert_array_equal(np.diff(still), 1)
        assert 25 <= times[still[0]] <= 75
        assert_array_equal(np.unique(times), np.arange(101))
    assert min(held) < 15 < 50 < max(held) <= 75


def test_a_time_warp_keeps_ends_and_length_and_changes_the_pace_within_its_share():
    for seed in SEEDS:
        times = vary_times(101, only(time_warp=0.2), np.random.default_rng(seed))
        assert (len(times), times[0], times[-1]) == (101, 0, 100)
        assert 0.8 / 1.2 - 1e-3 <= np.diff(times).min() < np.diff(times).max() <= 1.2 / 0.8 + 1e-3
        assert np.ptp(np.diff(times)) > 0.02


def test_a_crop_takes_no_more_than_its_share_from_either_end():
    spans = [vary_times(101, only(crop=0.1), np.random.default_rng(seed))[[0, -1]] for seed in SEEDS]
    starts, ends = np.array(spans).T
    assert 0 <= starts.min() < 2
    assert 8 < starts.max() <= 10
    assert 90 <= ends.min() < 92
    assert 98 < ends.max() <= 100


def test_between_two_frames_a_hand_is_between_and_next_to_a_gap_as_in_the_nearer_frame(waving):
    landmarks, presence = waving
    between, there = resample(landmarks, presence, np.array([1.25, 5.25, 5.75], np.float32))
    assert_allclose(between[0, 1], 0.75 * landmarks[1, 1] + 0.25 * landmarks[2, 1], atol=1e-6)
    assert_array_equal(between[1, 1], landmarks[5, 1])
    assert_array_equal(there[:, 1], [True, True, False])
    assert not between[2, 1].any()


def test_a_rotation_keeps_every_length_and_turns_motion_with_the_hand(waving):
    landmarks, presence = waving
    flat = landmarks * np.array([1, 1, 0], np.float32)
    changed = 0.0
    for seed in SEEDS:
        turned = vary(landmarks, presence, only(rotation=30), seed=seed).landmarks
        assert_allclose(lengths_of_palms(turned), lengths_of_palms(landmarks), rtol=1e-4)
        assert not turned[:, :, 0, 2].any()  # depth is measured from the wrist
        changed = max(changed, np.abs(turned - landmarks).max())
    assert changed > 0.05
    steps = np.diff(flat[:, 1, 0, :2], axis=0)[:4]
    turned_steps = np.diff(turned[:, 1, 0, :2], axis=0)[:4]
    (rotation, _, _, _) = np.linalg.lstsq(steps, turned_steps, rcond=None)
    assert_allclose(steps @ rotation, turned_steps, atol=1e-5)  # one turn for all frames


def test_a_scale_stays_within_its_share(waving):
    landmarks, presence = waving
    spans = [np.ptp(vary(landmarks, presence, only(scale=0.2), seed=seed).landmarks[0, 1], axis=0) for seed in SEEDS]
    ratios = np.array(spans) / np.ptp(landmarks[0, 1], axis=0)
    assert 1 / 1.2 - 1e-3 <= ratios[:, 0].min() < 0.9 < 1.1 < ratios[:, 0].max() <= 1.2 + 1e-3
    assert np.abs(ratios[:, 1] / ratios[:, 0] - 1).max() > 0.1


def test_jitter_is_in_palm_sizes(waving):
    landmarks, presence = waving
    trembling = vary(landmarks, presence, only(jitter=0.05), seed=3).landmarks
    size = np.linalg.norm(landmarks[:, 1, [5, 9, 17]] - landmarks[:, 1, :1], axis=-1).mean(axis=1)
    share = (trembling - landmarks)[presence[:, 1], 1, 1:] / size[presence[:, 1], None, None]
    assert 0.04 < share.std() < 0.06
    assert abs(share.mean()) < 0.01


def test_dropped_joints_stay_where_they_were_and_dropped_frames_have_no_hand(waving):
    landmarks, presence = waving
    stayed = vary(landmarks, presence, only(landmark_dropout=0.3), seed=3).landmarks
    different = np.any(stayed != landmarks, axis=-1)[1:6, 1]  # the right hand, before it is lost
    assert 0.15 < different.mean() < 0.45
    before = np.any(stayed[1:] != landmarks[:-1], axis=-1)[:5, 1]
    assert not np.any(different & before)
    config = only(frame_dropout=0.3)
    kept = np.mean([vary(landmarks, presence, config, seed=seed).presence[presence].mean() for seed in SEEDS])
    assert 0.65 < kept < 0.75


def test_a_mirror_exchanges_the_hands_and_mirrored_twice_is_as_before(waving):
    landmarks, presence = mirror(*waving)
    assert_array_equal(presence, waving[1][:, ::-1])
    assert_allclose(mirror(landmarks, presence)[0], waving[0], atol=1e-6)
    assert_allclose(lengths_of_palms(landmarks), lengths_of_palms(waving[0])[:, ::-1], rtol=1e-5)
    layer = LandmarkFeatures()
    assert_allclose(layer(landmarks[None]), layer(waving[0][None]), atol=1e-4)


def test_shares_of_sequences_are_mirrored_and_confused(waving):
    right_first = waving[1] & [False, True]
    landmarks = waving[0] * right_first[:, :, None, None]
    for setting in ("mirror", "confused_hands"):
        exchanged = [vary(landmarks, right_first, only(**{setting: 0.3}), seed=seed).presence[0, 0] for seed in SEEDS]
        assert 0.1 < np.mean(exchanged) < 0.5
    confused = vary(landmarks, right_first, only(confused_hands=1), seed=1)
    assert_array_equal(confused.landmarks, landmarks[:, ::-1])


@pytest.mark.parametrize(
    ("setting", "value"), [("crop", 0.5), ("speed", 1), ("jitter", -0.1), ("mirror", 1.5), ("rotation", 91)]
)
def test_impossible_settings_are_named(setting, value):
    with pytest.raises(ConfigError, match=rf"{setting} must .*, is {value}"):
        AugmentationConfig(**{setting: value})


def test_hands_travel_farther_or_less_far_and_keep_their_size(waving):
    landmarks, presence = waving
    shares = []
    for seed in SEEDS:
        varied = vary(landmarks, presence, only(reach=0.5), seed=seed).landmarks
        assert_allclose(lengths_of_palms(varied)[presence], lengths_of_palms(landmarks)[presence], rtol=1e-4)
        shares.append(np.ptp(varied[presence][:, 0, 0]) / np.ptp(landmarks[presence][:, 0, 0]))
    assert 1 / 1.51 < min(shares) < 0.8
    assert 1.25 < max(shares) < 1.51
