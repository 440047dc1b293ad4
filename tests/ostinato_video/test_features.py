import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from ostinato.errors import ConfigError
from ostinato.frames.reading import Frame
from ostinato_video.config import PrepareConfig
from ostinato_video.features import FeatureReader, make_frame_encoder, resize_frames


def frames_of(images):
    return [Frame(image, 0.1 * number, 3 * number) for number, image in enumerate(images)]


def random_images(frames, height=29, width=43):
    return np.random.default_rng(frames).integers(0, 256, (frames, height, width, 3), np.uint8)


@pytest.fixture
def reader(quick_network):
    return FeatureReader(PrepareConfig(image_size=32, background_seconds=0.5))


def test_a_video_is_read_piece_by_piece_as_it_would_be_at_once(reader):
    images = random_images(37)
    read = list(reader(frames_of(images)))
    assert len(read) > 2
    assert max(len(piece.times) for piece in read) <= 16
    whole = reader.encoder(resize_frames(tf.constant(images[None]), 32))[0]
    assert_allclose(np.concatenate([piece.features for piece in read]), whole, atol=1e-5)
    assert_allclose(np.concatenate([piece.times for piece in read]), 0.1 * np.arange(37))
    assert np.concatenate([piece.numbers for piece in read]).tolist() == list(range(0, 111, 3))


def test_a_mirrored_video_is_read_as_its_mirror_image(reader):
    images = random_images(5)
    mirrored, flipped = (
        np.concatenate([piece.features for piece in pieces])
        for pieces in (reader(frames_of(images), mirrored=True), reader(frames_of(images[:, :, ::-1])))
    )
    assert_allclose(mirrored, flipped)


def test_each_video_begins_anew(reader):
    images = random_images(5)
    first, second = (np.concatenate([piece.features for piece in reader(frames_of(images))]) for _ in range(2))
    assert_allclose(first, second)
    assert_allclose(first[0, 5:], 0, atol=1e-6)  # nothing has changed yet
    assert np.abs(first[1:, 5:]).max() > 0.01


def test_a_stream_that_changes_its_size_is_read_on(reader):
    images = [*random_images(3), *random_images(4, 21, 17)]
    read = list(reader(frames_of(images)))
    assert [len(piece.times) for piece in read] == [3, 4]
    assert np.abs(read[1].features[0, 5:10]).max() > 0, "the change since the frame before, of another size"


def test_a_video_of_one_frame_has_features(reader):
    (piece,) = reader(frames_of(random_images(1)))
    assert piece.features.shape == (1, 4 * 5)


def test_without_parts_that_remember_there_is_no_state_to_carry(quick_network):
    read = FeatureReader(PrepareConfig(image_size=32, parts=("appearance",)))
    images = random_images(19)
    features = np.concatenate([piece.features for piece in read(frames_of(images))])
    assert features.shape == (19, 5)
    assert_allclose(features[18], next(read(frames_of(images[18:]))).features[0], atol=1e-5)


def test_the_parts_are_those_of_the_settings(quick_network):
    encoder = make_frame_encoder(PrepareConfig(image_size=32, parts=("change",), background_seconds=2.0))
    assert (encoder.parts, encoder.feature_size) == (["change"], 5)
    assert encoder.background_rate == pytest.approx(1 / 20)


def test_frames_are_resized_as_photos_are():
    images = random_images(2, 61, 43)
    resized = resize_frames(tf.constant(images[:, None]), 33)
    assert resized.shape == (2, 1, 33, 33, 3)
    assert_allclose(resized[1, 0], tf.image.resize(images[1], [33, 33], antialias=True), atol=1e-3)
    square = random_images(1, 33, 33)
    assert_allclose(resize_frames(tf.constant(square[None]), 33)[0], square)


def test_an_image_network_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="--network no_network: there is no image network"):
        FeatureReader(PrepareConfig(network="no_network"))
