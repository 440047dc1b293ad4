import numpy as np
import pytest

from ostinato.errors import ConfigError
from ostinato.export import find_model
from ostinato.images.graph import load_photos
from ostinato_caption.captioner import Captioner
from ostinato_caption.image_network import fixed_name, image_network


@pytest.fixture(autouse=True)
def quick_network():
    """These tests are about the real one."""


@pytest.fixture
def photo():
    import tensorflow as tf

    pixels = np.random.default_rng(5).integers(0, 256, (40, 60, 3), np.uint8)
    return tf.io.encode_png(pixels).numpy()


def test_the_network_of_the_shipped_model_sees_what_that_sees(photo):
    encoder = image_network("caption")
    found = np.mean(np.asarray(encoder(load_photos(np.array([photo], object), 224))), axis=1)
    expected = Captioner.load().model.call("embed", {"image_bytes": np.array([photo], object)})["embeddings"]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
    untrained = image_network("efficientnet_lite0")
    seen = np.mean(np.asarray(untrained(load_photos(np.array([photo], object), 224))), axis=1)
    assert np.abs(seen - expected).max() > 0.1, "fine-tuning has changed it"


def test_a_model_is_remembered_with_its_version_and_a_network_by_its_name():
    assert fixed_name("caption") == str(find_model("caption").resolve())
    assert fixed_name("efficientnet_lite0") == "efficientnet_lite0"
    with pytest.raises(ConfigError, match="no image network 'nonsense'"):
        fixed_name("nonsense")


def test_an_unknown_network_is_refused():
    with pytest.raises(ConfigError, match="no image network 'nonsense': use efficientnet_lite0"):
        image_network("nonsense")


def test_a_model_of_another_application_has_none():
    with pytest.raises(ConfigError, match="no image network that could be taken over"):
        image_network("translate")
