import keras
import numpy as np
from numpy.testing import assert_allclose

from ostinato_gesture.config import TrainConfig
from ostinato_gesture.features import LandmarkFeatures
from ostinato_gesture.model import FEATURES, LANDMARKS, LandmarkEncoder, make_gesture_classifier

SMALL = TrainConfig(units=6, projection_size=5, seed=3)


def some_landmarks(batch, frames):
    landmarks = np.random.default_rng(7).normal(size=(batch, frames, 2, 21, 3)).astype(np.float32)
    landmarks[:, 2, 0] = 0  # no left hand there
    return landmarks


def test_frames_of_a_store_and_those_of_a_stream_give_the_same_features():
    landmarks = some_landmarks(2, 5)
    encoder = LandmarkEncoder()
    flat = np.asarray(encoder(landmarks.reshape(2, 5, 126)))
    assert_allclose(flat, np.asarray(encoder(landmarks)), atol=1e-6)
    assert_allclose(flat, np.asarray(LandmarkFeatures()(landmarks)), atol=1e-6)


def test_streaming_landmarks_gives_what_the_whole_clip_gives():
    landmarks = some_landmarks(2, 7)
    model = make_gesture_classifier(SMALL, 3, LANDMARKS)
    whole = model(landmarks.reshape(2, 7, 126))
    state = model.initial_state(2)
    for frame in range(7):
        scores, state = model.step(landmarks[:, frame], state)
        assert_allclose(np.asarray(scores.frame_logits), np.asarray(whole.frame_logits)[:, frame], atol=1e-4)
    assert_allclose(np.asarray(scores.clip_logits), np.asarray(whole.clip_logits)[:, -1], atol=1e-4)


def test_the_network_is_remade_from_its_configuration():
    model = make_gesture_classifier(SMALL, 3, LANDMARKS, num_hands=1)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    assert again.encoder.num_hands == 1
    again.set_weights(model.get_weights())
    landmarks = some_landmarks(1, 3).reshape(1, 3, 126)
    assert_allclose(np.asarray(again(landmarks).clip_logits), np.asarray(model(landmarks).clip_logits), atol=1e-5)


def test_other_features_are_standardised_and_have_no_encoder():
    model = make_gesture_classifier(SMALL, 3, FEATURES, feature_size=4)
    assert model.encoder is None
    assert model.standardise
    assert model(np.zeros((1, 2, 4), np.float32)).frame_logits.shape == (1, 2, 3)
