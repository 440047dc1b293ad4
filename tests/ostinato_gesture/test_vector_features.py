import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from ostinato.errors import ConfigError
from ostinato_gesture.config import TrainConfig
from ostinato_gesture.model import FEATURES, make_gesture_classifier
from ostinato_gesture.vector_features import VectorEncoder

VECTORS = np.random.default_rng(7).normal(size=(2, 11, 5)).astype(np.float32)


def test_directions_stand_beside_the_vectors_and_do_not_grow_with_a_movement():
    way = np.linspace(0, 1, 9)[:, None] * [3.0, 4.0]
    small, large = (np.concatenate([np.ones((9, 1)), size * way], axis=1)[None].astype(np.float32) for size in (1, 3))
    encoder = VectorEncoder([[1, 2]])
    features, more = np.asarray(encoder(small)), np.asarray(encoder(large))
    assert features.shape == (1, 9, encoder.feature_size) == (1, 9, 6)
    assert_allclose(features[..., :3], small)
    assert_allclose(features[0, 0, 3:5], 0)  # nothing has moved yet
    assert_allclose(features[0, 5:, 3:5], np.tile([0.6, 0.8], (4, 1)), atol=0.05)
    assert_allclose(features[0, 5:, 3:5], more[0, 5:, 3:5], atol=0.05)
    assert (more[0, 1:, 5] > features[0, 1:, 5]).all()


def test_streaming_vectors_gives_what_the_whole_sequence_gives():
    model = make_gesture_classifier(TrainConfig(units=6, projection_size=5, points="0:1,3:4:2"), 3, FEATURES, 5)
    model.encoder.standardisation.adapt(np.arange(5), np.arange(1, 6))
    whole = model(VECTORS)
    state = model.initial_state(2)
    for frame in range(6):
        scores, state = model.step(VECTORS[:, frame], state)
        assert_allclose(np.asarray(scores.frame_logits), np.asarray(whole.frame_logits)[:, frame], atol=1e-4)
    scores, _ = model.steps(VECTORS[:, 6:], state)
    assert_allclose(np.asarray(scores.frame_logits), np.asarray(whole.frame_logits)[:, 6:], atol=1e-4)


def test_the_network_is_remade_from_its_configuration():
    model = make_gesture_classifier(TrainConfig(units=6, projection_size=5, points="1:0"), 3, FEATURES, 5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    again.set_weights(model.get_weights())
    assert_allclose(np.asarray(again(VECTORS).clip_logits), np.asarray(model(VECTORS).clip_logits), atol=1e-5)


def test_a_column_that_the_vectors_do_not_have_is_named():
    with pytest.raises(ConfigError, match="no column 5 among 5"):
        make_gesture_classifier(TrainConfig(points="0:5"), 3, FEATURES, 5)
