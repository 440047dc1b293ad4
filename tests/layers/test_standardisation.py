import keras
import numpy as np
from numpy.testing import assert_allclose

from ostinato.layers import Standardisation

FEATURES = np.random.default_rng(2).normal(3, [0.5, 20, 1, 4, 0.1], (3, 7, 5)).astype("float32")


def adapted(features):
    layer = Standardisation()
    layer.build((None, None, 5))
    layer.adapt(features.mean(axis=(0, 1)), features.std(axis=(0, 1)))
    return layer


def test_features_pass_unchanged_until_their_statistics_are_known():
    assert_allclose(np.asarray(Standardisation()(FEATURES)), FEATURES)


def test_the_data_that_it_was_told_of_get_mean_0_and_deviation_1():
    standardised = np.asarray(adapted(FEATURES)(FEATURES))
    assert_allclose(standardised.mean(axis=(0, 1)), 0, atol=1e-4)
    assert_allclose(standardised.std(axis=(0, 1)), 1, atol=1e-4)


def test_a_feature_that_never_changes_is_not_blown_up():
    features = FEATURES.copy()
    features[..., 2] = 6.0
    layer = adapted(features)
    assert_allclose(np.asarray(layer(features))[..., 2], 0, atol=1e-3)
    features[..., 2] += 1e-4
    assert np.abs(np.asarray(layer(features))[..., 2]).max() < 0.2


def test_statistics_are_weights_that_training_leaves_alone():
    layer = adapted(FEATURES)
    assert layer.trainable_weights == []
    assert [weight.path.rpartition("/")[2] for weight in layer.weights] == ["mean", "deviation"]
    again = Standardisation.from_config(layer.get_config())
    again.build((None, None, 5))
    again.set_weights(layer.get_weights())
    assert_allclose(np.asarray(again(FEATURES)), np.asarray(layer(FEATURES)))


def test_half_precision_features_are_standardised_in_full():
    keras.utils.set_random_seed(1)
    layer = adapted(FEATURES)
    standardised = layer(FEATURES.astype("float16"))
    assert keras.backend.standardize_dtype(standardised.dtype) == "float32"
    assert_allclose(np.asarray(standardised), np.asarray(layer(FEATURES)), atol=2e-2)
