import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.layers import ImageEncoder

numbers = np.random.default_rng(5)


@pytest.fixture(scope="module")
def encoder():
    return ImageEncoder()


def test_images_of_224_pixels_have_49_places(encoder):
    assert encoder.compute_output_shape((None, 224, 224, 3)) == (None, 49, 1280)
    assert encoder.compute_output_shape((2, None, None, 3)) == (2, None, 1280)


@pytest.mark.parametrize(("height", "width", "places"), [(33, 65, 2 * 3), (32, 96, 1 * 3)])
def test_places_are_the_regions_of_a_grid(encoder, height, width, places):
    images = numbers.uniform(0, 255, (3, height, width, 3)).astype("float32")
    assert tuple(encoder(images).shape) == (3, places, 1280)
    assert encoder.compute_output_shape(images.shape) == (3, places, 1280)


def test_places_come_in_row_order(encoder):
    images = numbers.uniform(0, 255, (2, 96, 160, 3)).astype("float32")
    features, grid = ops.convert_to_numpy(encoder(images)), ops.convert_to_numpy(encoder.network(images))
    for row in range(3):
        for column in range(5):
            assert_array_equal(features[:, 5 * row + column], grid[:, row, column])


def test_whole_numbers_are_seen_as_floats_are(encoder):
    images = numbers.integers(0, 256, (1, 33, 65, 3), dtype="uint8")
    assert_allclose(encoder(images), encoder(images.astype("float32")), rtol=1e-5, atol=1e-7)


def test_training_leaves_the_statistics_of_batch_normalisation_alone(encoder):
    images = numbers.uniform(0, 255, (3, 33, 65, 3)).astype("float32")
    before = encoder.get_weights()
    assert_allclose(encoder(images, training=True), encoder(images), rtol=1e-6)
    for old, new in zip(before, encoder.get_weights(), strict=True):
        assert np.all(old == new)


@pytest.mark.parametrize(
    ("num_blocks", "first_layers"),
    [
        (0, set()),
        (1, {"block15", "head"}),
        (3, {"block13", "block14", "block15", "head"}),
        (16, {f"block{i}" for i in range(16)} | {"head"}),
        (None, {f"block{i}" for i in range(16)} | {"head", "stem"}),
    ],
)
def test_the_last_blocks_alone_may_learn(encoder, num_blocks, first_layers):
    encoder.set_trainable_blocks(num_blocks)
    learning = {layer.name.split("_")[0] for layer in encoder.network.layers if layer.trainable_weights}
    trainable_weights = len(encoder.trainable_weights)
    encoder.set_trainable_blocks(None)
    assert learning == first_layers
    assert (trainable_weights == 0) == (num_blocks == 0)


def test_a_network_of_keras_applications_brings_its_own_scaling():
    keras.utils.set_random_seed(6)
    encoder = ImageEncoder("MobileNet")
    images = numbers.uniform(0, 255, (2, 33, 65, 3)).astype("float32")
    features = ops.convert_to_numpy(encoder(images))
    assert features.shape == encoder.compute_output_shape(images.shape)
    bare = encoder.network.layers[-1]
    grid = ops.convert_to_numpy(bare(images / 127.5 - 1, training=False))
    assert_allclose(features, grid.reshape(features.shape), rtol=1e-4, atol=1e-6)
    encoder.set_trainable_blocks(0)
    assert not encoder.trainable_weights
    with pytest.raises(ValueError, match="only efficientnet_lite0"):
        encoder.set_trainable_blocks(3)
    assert encoder.fold() is encoder


@pytest.mark.parametrize("name", ["MobileNett", "mobilenet"])  # a slip, and the module in place of the function
def test_an_unknown_network_is_named(name):
    with pytest.raises(ValueError, match=f"{name}.*keras.applications"):
        ImageEncoder(name)
