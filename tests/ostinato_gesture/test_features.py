import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from ostinato_gesture.features import HAND_SIZE, PAIR_SIZE, LandmarkFeatures

# Where things lie among the features of a hand.
BENDS, DISTANCES = slice(60, 75), slice(75, 82)
MOTION, GROWTH, OFFSET, THERE, AWAY = slice(82, 84), 84, slice(85, 87), 87, 88
MIRROR = np.array([-1, 1, 1], np.float32)


@pytest.fixture
def layer():
    return LandmarkFeatures()


@pytest.fixture
def one_hand(waving):
    """The right hand alone."""
    landmarks, presence = waving
    alone = presence & [False, True]
    return landmarks * alone[:, :, None, None], alone


def describe(layer, landmarks, presence=None):
    """Returns the features of one sequence, float32 [F, D]."""
    features = layer(landmarks[None], None if presence is None else presence[None])
    return keras.ops.convert_to_numpy(features)[0]


def mirrored(landmarks):
    """What a mirror shows: x is turned about, and the left hand is the right one."""
    there = np.any(landmarks != 0, axis=(2, 3), keepdims=True)
    return np.where(there, landmarks * MIRROR + np.array([1.7, 0, 0], np.float32), 0)[:, ::-1]


def moved(landmarks, offset=(0, 0, 0), factor=1.0):
    there = np.any(landmarks != 0, axis=(2, 3), keepdims=True)
    return np.where(there, landmarks * factor + np.array(offset), 0).astype(np.float32)


def test_features_are_as_many_as_told_and_moderate(layer, waving):
    features = describe(layer, *waving)
    assert (features.shape, features.dtype) == ((13, 2 * HAND_SIZE + PAIR_SIZE), np.float32)
    assert layer.feature_size == 2 * HAND_SIZE + PAIR_SIZE
    assert np.abs(features).max() <= 40


@pytest.mark.parametrize("frames", [1, 13])
def test_streaming_gives_what_the_whole_sequence_gives(layer, waving, frames):
    landmarks = np.stack([waving[0][:frames], mirrored(waving[0])[:frames], waving[0][::-1][:frames]])
    presence = np.random.default_rng(3).random((3, frames, 2)) < 0.7
    whole = layer(landmarks, presence)
    state, streamed = layer.initial_state(3), []
    for frame in range(frames):
        features, state = layer.step(landmarks[:, frame], presence[:, frame], state)
        streamed.append(features)
    assert_allclose(np.stack(streamed, axis=1), whole, atol=1e-5)


def test_pieces_of_a_sequence_give_what_the_whole_gives(layer, waving):
    landmarks = waving[0][None]
    first, state = layer.steps(landmarks[:, :5], None, layer.initial_state(1))
    rest, _ = layer.steps(landmarks[:, 5:], None, state)
    assert_allclose(np.concatenate([first, rest], axis=1), layer(landmarks), atol=1e-6)


def test_the_state_has_the_shapes_it_tells_and_begins_with_zeros(layer, waving):
    state = layer.initial_state(3)
    assert not any(np.any(part) for part in state.values())
    _, state = layer.step(np.stack([waving[0][5]] * 3), None, state)
    told = {name: ((3, *shape), dtype) for name, (shape, dtype) in layer.state_spec().items()}
    assert {name: (tuple(part.shape), part.dtype.name) for name, part in state.items()} == told
    assert list(state) == list(told)


def test_nothing_looks_ahead(layer, waving):
    landmarks = waving[0].copy()
    before = describe(layer, landmarks)
    landmarks[8:] = landmarks[8:][::-1] * 2
    after = describe(layer, landmarks)
    assert_array_equal(after[:8], before[:8])
    assert np.abs(after[8:] - before[8:]).max() > 0.1


def test_place_and_scale_change_nothing(layer, waving):
    features = describe(layer, waving[0])
    assert_allclose(describe(layer, moved(waving[0], offset=(3, -2, 0))), features, atol=1e-4)
    assert_allclose(describe(layer, moved(waving[0], factor=0.3)), features, atol=1e-4)
    assert_allclose(describe(layer, moved(waving[0], factor=240)), features, atol=1e-4)  # pixels


def test_a_gesture_looks_alike_with_either_hand_and_in_a_mirror(layer, waving, one_hand):
    for landmarks, _ in (waving, one_hand):
        assert_allclose(describe(layer, mirrored(landmarks)), describe(layer, landmarks), atol=1e-4)


def test_shape_motion_and_direction_change_something(layer, one_hand):
    landmarks, presence = one_hand
    features = describe(layer, landmarks)
    turned = landmarks.copy()
    turned[:, 1] = landmarks[:, 1, :, [1, 0, 2]].transpose(1, 2, 0) * MIRROR  # by a right angle
    assert np.abs(describe(layer, turned)[:, :60] - features[:, :60]).max() > 0.5
    assert_allclose(describe(layer, turned)[:, BENDS], features[:, BENDS], atol=1e-5)  # bends are of the hand alone
    assert_allclose(describe(layer, turned)[:, DISTANCES], features[:, DISTANCES], atol=1e-5)
    still = np.where(presence[:, :, None, None], landmarks[:1], 0)
    assert not np.any(describe(layer, still)[:, [*range(82, 87)]])
    assert np.abs(features[:, MOTION]).max() > 0.2
    backwards = describe(layer, landmarks[::-1])
    assert np.abs(backwards[:, MOTION] - features[:, MOTION]).max() > 0.2


def test_motion_is_in_twentieths_of_a_palm_size_a_frame_and_growth_in_fortieths_of_a_logarithm(layer, hand):
    places = np.arange(5)[:, None, None] * np.array([0.03, -0.01, 0], np.float32)
    landmarks = np.zeros((5, 2, 21, 3), np.float32)
    landmarks[:, 1] = 0.2 * hand + places + 1
    palm = 0.2 * np.mean([np.linalg.norm(hand[joint] - hand[0]) for joint in (5, 9, 17)])
    features = describe(layer, landmarks)
    assert_allclose(features[1:, MOTION], np.tile([0.03 / palm, -0.01 / palm], (4, 1)) / 0.05, rtol=1e-4)
    assert_allclose(features[1, OFFSET], np.array([0.027, -0.009]) / palm / 0.075, rtol=1e-4)  # nine tenths of the way
    assert not features[0, [*range(82, 87)]].any()
    landmarks[:, 1] = 1 + hand * 1.2 ** np.arange(5)[:, None, None]
    assert_allclose(describe(layer, landmarks)[1:, GROWTH], np.log(1.2) / 0.025, rtol=1e-4)


def test_a_hand_that_is_not_there_is_told_with_how_long_it_was_away(layer, one_hand):
    landmarks, _ = one_hand
    features = describe(layer, landmarks)
    assert_array_equal(features[:, THERE], [1] * 6 + [0, 0] + [1] * 5)
    assert not features[6:8, :THERE].any()
    assert_allclose(features[:, AWAY], [1, 0, 0, 0, 0, 0, 0, 1 / 15, 2 / 15, 0, 0, 0, 0], atol=1e-6)
    assert not features[:, HAND_SIZE : 2 * HAND_SIZE - 1].any()  # the other hand, never seen
    assert_array_equal(features[:, 2 * HAND_SIZE - 1], 1)


def test_motion_over_a_gap_is_that_of_each_frame(layer, hand):
    landmarks = np.zeros((7, 2, 21, 3), np.float32)
    landmarks[:, 1] = 1 + hand + np.arange(7)[:, None, None] * np.array([0.2, 0, 0], np.float32)
    features = describe(layer, landmarks)
    landmarks[2:5] = 0
    assert_allclose(describe(layer, landmarks)[5:, MOTION], features[5:, MOTION], atol=1e-5)


def test_a_hand_long_away_comes_back_as_a_new_one(layer, hand):
    landmarks = np.zeros((31, 2, 21, 3), np.float32)
    landmarks[[0, 30], 1] = 1 + hand, 9 + hand
    features = describe(layer, landmarks)
    assert_allclose(features[30], features[0], atol=1e-4)
    landmarks[20, 1] = 1 + hand
    assert describe(layer, landmarks)[30, AWAY] < 1


def test_absent_hands_may_be_told_by_zeros_or_by_presence(layer, waving):
    landmarks, presence = waving
    noise = np.where(presence[:, :, None, None], landmarks, 5.0).astype(np.float32)
    assert_array_equal(describe(layer, noise, presence), describe(layer, landmarks))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_hand_with_broken_coordinates_is_none_and_spoils_nothing_after_it(layer, waving, value):
    landmarks = waving[0].copy()
    landmarks[9, :, 4, 1] = value
    gone = waving[0].copy()
    gone[9] = 0
    assert_array_equal(describe(layer, landmarks), describe(layer, gone))


def test_a_hand_squeezed_into_a_point_gives_numbers(layer, one_hand):
    landmarks = one_hand[0].copy()
    landmarks[4, 1] = landmarks[4, 1, :1]
    assert np.isfinite(describe(layer, landmarks)).all()
    assert np.abs(describe(layer, landmarks)).max() <= 40


def test_the_moving_or_raised_hand_leads_and_a_resting_one_stands_second(layer, waving):
    features = describe(layer, waving[0])
    alone = describe(LandmarkFeatures(1), waving[0] * np.array([0, 1], np.float32)[None, :, None, None])
    there = np.array([0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12])
    assert_array_equal(features[there, :HAND_SIZE], alone[there])
    assert_array_equal(features[4:6, HAND_SIZE + THERE], 1)


def test_a_resting_hand_that_came_first_yields_to_one_that_moves(hand):
    landmarks = np.zeros((29, 2, 21, 3), np.float32)
    landmarks[:, 0] = hand * MIRROR + np.array([5, 3, 0], np.float32)
    landmarks[12:, 1] = (hand + np.array([1, 1, 0]))[None] + np.sin(np.arange(17))[:, None, None] * [0.6, 0, 0]
    speed = np.abs(describe(LandmarkFeatures(1), landmarks)[:, MOTION]).max(axis=1)
    assert not speed[:12].any()
    assert (speed[20:] > 0).all()


def test_the_second_hand_is_placed_from_the_first(layer, hand):
    landmarks = np.zeros((1, 2, 21, 3), np.float32)
    landmarks[0, 1] = hand + np.array([1, 1, 0])  # it is higher, and leads
    landmarks[0, 0] = hand * MIRROR + np.array([3, 2, 0])
    palm = np.mean([np.linalg.norm(hand[joint] - hand[0]) for joint in (5, 9, 17)])
    assert_allclose(describe(layer, landmarks)[0, -3:], [2 / palm, 1 / palm, 1], rtol=1e-5)
    assert_allclose(describe(layer, mirrored(landmarks))[0, -3:], [2 / palm, 1 / palm, 1], rtol=1e-5)


def test_a_graph_of_unknown_lengths_says_the_same_with_core_operations_only(layer, waving):
    graph = tf.function(layer, autograph=False, input_signature=[tf.TensorSpec([None, None, 2, 21, 3])])
    assert_allclose(graph(waving[0][None]), layer(waving[0][None]), atol=1e-5)
    assert_allclose(graph(waving[0][None, :4]), layer(waving[0][None, :4]), atol=1e-5)
    concrete = graph.get_concrete_function()
    assert not [op.type for op in concrete.graph.get_operations() if "Py" in op.type or "Cudnn" in op.type]


def test_gradients_are_numbers_even_where_no_hand_is(layer, waving):
    landmarks = tf.constant(waving[0][None])
    with tf.GradientTape() as tape:
        tape.watch(landmarks)
        loss = tf.reduce_sum(layer(landmarks) ** 2)
    assert np.isfinite(tape.gradient(loss, landmarks)).all()


def test_the_layer_survives_its_config_and_stays_float32(waving):
    layer = keras.layers.deserialize(keras.layers.serialize(LandmarkFeatures(1, name="hands")))
    assert (layer.num_hands, layer.name) == (1, "hands")
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        features = LandmarkFeatures()(waving[0][None])
    finally:
        keras.config.set_dtype_policy("float32")
    assert_array_equal(features, LandmarkFeatures()(waving[0][None]))
    spec = LandmarkFeatures()(keras.KerasTensor((None, None, 2, 21, 3)))
    assert spec.shape == (None, None, 2 * HAND_SIZE + PAIR_SIZE)
