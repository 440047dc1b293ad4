import keras
import numpy as np
import pytest

from ostinato.layers import ImageEncoder
from ostinato.layers.efficientnet_lite import efficientnet_lite
from ostinato.layers.folding import fold_normalisation

IMAGES = np.random.default_rng(3).integers(0, 256, (2, 37, 50, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def network():
    """A network whose normalisation matters: with statistics and scales of all kinds."""
    network = efficientnet_lite(head=False)
    generator = np.random.default_rng(5)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (array.shape for array in layer.get_weights())
            layer.set_weights(
                [
                    generator.uniform(0.5, 2, gamma) * generator.choice([-1, 1], gamma),
                    generator.normal(0, 1, beta),
                    generator.normal(0, 0.1, mean),
                    generator.uniform(0.02, 2, variance),
                ]
            )
    return network


def test_a_folded_network_computes_the_same(network):
    expected = np.asarray(network(IMAGES, training=False))
    folded = fold_normalisation(network)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(folded(IMAGES), expected, atol=1e-4 * np.abs(expected).max())


def test_it_has_a_bias_in_the_place_of_each_normalisation(network):
    folded = fold_normalisation(network)
    convolutions = [layer for layer in network.layers if layer.name.endswith("_convolution")]
    assert not [layer for layer in folded.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(folded.weights) == 2 * len(convolutions)
    assert all(folded.get_layer(layer.name).use_bias for layer in convolutions)
    assert folded.output_shape == network.output_shape


def test_an_encoder_may_be_folded_and_remembers_it():
    keras.utils.set_random_seed(3)
    encoder = ImageEncoder(head=False, folded=True)
    reloaded = ImageEncoder.from_config(encoder.get_config())
    assert [weight.shape for weight in reloaded.weights] == [weight.shape for weight in encoder.weights]
    assert len(encoder.weights) < len(ImageEncoder(head=False).weights)
    assert encoder(IMAGES).shape == (2, 4, 320)


def test_a_fold_of_a_trained_encoder_computes_the_same(network):
    encoder = ImageEncoder(head=False)
    encoder.network.set_weights(network.get_weights())
    folded = encoder.fold()
    expected = np.asarray(encoder(IMAGES))
    np.testing.assert_allclose(folded(IMAGES), expected, atol=1e-4 * np.abs(expected).max())
    assert folded.folded
    assert folded.fold() is folded
