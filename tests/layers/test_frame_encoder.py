import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

from ostinato.layers import FrameEncoder
from ostinato.layers.frame_encoder import PARTS

SIZE = 33  # pixels; two by two regions
FRAMES = np.random.default_rng(4).integers(0, 256, (2, 7, SIZE, SIZE, 3)).astype("uint8")


class FourPlaces(keras.layers.Layer):
    """Stands in for the image network, whose features are all but zero while its weights are random: [B, 4, 5]."""

    def __init__(self):
        super().__init__()
        self.network_name = "efficientnet_lite0"
        initializer = keras.initializers.RandomNormal(stddev=0.05, seed=3)
        self.convolution = keras.layers.Conv2D(5, 17, strides=16, kernel_initializer=initializer)

    def build(self, images_shape):
        self.convolution.build(images_shape)
        self.built = True

    def call(self, images):
        return ops.reshape(self.convolution(ops.cast(images, "float32") / 64), (-1, 4, 5))

    def compute_output_shape(self, images_shape):
        return images_shape[0], 4, 5


@pytest.fixture(scope="module")
def encoders():
    """Makes encoders of one image network: `encoders(parts, background_rate)`."""
    network = FourPlaces()

    def make(parts=PARTS, background_rate=0.25):
        encoder = FrameEncoder(image_size=SIZE, parts=parts, background_rate=background_rate)
        encoder.build((None, None, SIZE, SIZE, 3))
        return encoder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato.layers.frame_encoder.ImageEncoder", lambda *args, **kwargs: network)
        yield make


@pytest.fixture(scope="module")
def whole(encoders):
    """Features of both streams, by part."""
    encoder = encoders()
    features = np.asarray(encoder(FRAMES))
    appearance, change, foreground, hidden = np.split(features, 4, axis=-1)
    return {"appearance": appearance, "change": change, "foreground": np.concatenate([foreground, hidden], axis=-1)}


@pytest.fixture(scope="module")
def places(encoders):
    """What the image network sees in each region, float32 [B, F, S, D]."""
    network = encoders().image_encoder
    return np.stack([np.asarray(network(stream)) for stream in FRAMES])


def read_in_pieces(encoder, frames, ends):
    state = encoder.initial_state(len(frames))
    assert {name: (tuple(part.shape[1:]), "float32") for name, part in state.items()} == encoder.state_spec()
    pieces = []
    for start, end in zip((0, *ends), (*ends, frames.shape[1]), strict=True):
        features, state = encoder.steps(frames[:, start:end], state)
        pieces.append(np.asarray(features))
    return np.concatenate(pieces, axis=1)


@pytest.mark.parametrize("ends", [(1, 2, 3, 4, 5, 6), (1, 5)])
def test_a_stream_read_in_pieces_gives_what_the_whole_gives(encoders, whole, ends):
    streamed = read_in_pieces(encoders(), FRAMES, ends)
    assert_allclose(streamed, np.concatenate(list(whole.values()), axis=-1), atol=1e-4)


@pytest.mark.parametrize(
    "parts", [("appearance",), ("change",), ("foreground",), ("foreground", "appearance"), ("change", "foreground")]
)
def test_parts_are_what_they_are_among_all_and_in_one_order(encoders, whole, parts):
    encoder = encoders(parts)
    in_order = [part for part in whole if part in parts]
    expected = np.concatenate([whole[part] for part in in_order], axis=-1)
    assert encoder.parts == in_order
    assert encoder.feature_size == expected.shape[-1]
    assert encoder.compute_output_shape(FRAMES.shape) == (2, 7, encoder.feature_size)
    assert_allclose(read_in_pieces(encoder, FRAMES, (3,)), expected, atol=1e-4)


def test_appearance_is_the_mean_over_regions(whole, places):
    assert places.shape[2] == 4
    assert_allclose(whole["appearance"], places.mean(axis=2), atol=1e-4)


def test_change_is_the_greatest_of_any_region_and_none_at_first(whole, places):
    change = np.abs(np.diff(places, axis=1)).max(axis=2)
    assert_allclose(whole["change"][:, 1:], change, atol=1e-4)
    assert_allclose(whole["change"][:, 0], 0)
    assert change.min() > 1e-3


def test_foreground_stands_out_from_the_running_mean_of_earlier_frames(whole, places):
    background = places[:, 0]
    assert_allclose(whole["foreground"][:, 0], 0)
    for frame in range(1, 7):
        difference = places[:, frame] - background
        expected = np.concatenate([difference.max(axis=1), (-difference).max(axis=1)], axis=-1)
        assert_allclose(whole["foreground"][:, frame], expected, atol=1e-4)
        # Of the first four frames it is the mean, from then on a quarter of it is new with each frame.
        share = max(1 / (frame + 1), 0.25)
        background = (1 - share) * background + share * places[:, frame]


def test_the_background_is_the_mean_of_all_frames_as_long_as_it_is_young(encoders, places):
    encoder = encoders(("foreground",), background_rate=1e-6)
    _, state = encoder.steps(FRAMES, encoder.initial_state(2))
    assert_allclose(np.asarray(state["background"]), places.mean(axis=1), atol=1e-4)
    assert_allclose(np.asarray(state["num_frames"]), 7)


def test_what_stays_as_it_is_neither_changes_nor_stands_out(encoders):
    still = np.repeat(FRAMES[:, :1], 5, axis=1)
    features = np.asarray(encoders(("change", "foreground"))(still))
    assert_allclose(features, 0, atol=1e-4)


def test_streams_of_a_batch_do_not_mix(encoders, whole):
    alone = np.asarray(encoders()(FRAMES[1:]))
    assert_allclose(alone, np.concatenate(list(whole.values()), axis=-1)[1:], atol=1e-4)


def test_without_memory_there_is_no_state(encoders):
    encoder = encoders(("appearance",))
    assert encoder.state_spec() == {}
    assert encoder.initial_state(3) == {}


@pytest.mark.parametrize("parts", [(), ("appearance", "sound")])
def test_parts_that_do_not_exist_are_refused(parts, encoders):
    with pytest.raises(ValueError, match="parts are some of appearance, change, foreground"):
        encoders(parts)


def test_the_configuration_makes_the_same_encoder_again(encoders):
    config = encoders(("foreground", "change"), background_rate=0.5).get_config()
    again = FrameEncoder.from_config(config)
    assert (again.parts, again.background_rate, again.image_size) == (["change", "foreground"], 0.5, SIZE)
    assert again.get_config() == config
