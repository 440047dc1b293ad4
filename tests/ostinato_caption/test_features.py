import numpy as np
import pytest
from PIL import Image

from ostinato.errors import InputError
from ostinato_caption import features
from ostinato_caption.features import cache_features, read_photos
from ostinato_caption.image_network import image_network


@pytest.fixture
def encoder(run):
    """Sees the same in a quarter of a photo whichever it is, as convolutions do."""
    encoder = image_network("efficientnet_lite0")
    kernel, bias = encoder.projection.get_weights()
    kernel[3:] = 0  # what it makes of the place
    encoder.projection.set_weights([kernel, bias])
    return encoder


@pytest.fixture
def photos(tmp_path):
    """Five of different sizes; the second is no photo, the fourth is missing."""
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for number in (0, 2, 4):
        noise = np.random.default_rng(number).integers(0, 256, (31 + number, 45, 3), np.uint8)
        Image.fromarray(noise).save(paths[number])
    paths[1].write_text("no photo")
    return [str(path) for path in paths]


def cached(tmp_path, encoder, photos, **options):
    path = tmp_path / "features.npy"
    good = cache_features(path, encoder, photos, image_size=32, **{"mirrored": True, **options})
    return good, np.load(path)


def test_each_photo_has_a_row_and_damaged_ones_stay_zero(tmp_path, encoder, photos):
    faults: list[InputError] = []
    steps: list[int] = []
    good, array = cached(tmp_path, encoder, photos, on_error=faults.append, on_photo=lambda: steps.append(1))
    assert good == [0, 2, 4]
    assert (array.shape, array.dtype) == ((5, 2, 4, 7), np.float16)
    assert not array[[1, 3]].any()
    assert all(array[row].any() for row in good)
    assert ["1.png" in str(faults[0]), "3.png" in str(faults[1])] == [True, True]
    assert len(steps) == 5


def test_a_row_is_what_the_photo_has_alone_whatever_the_batches(tmp_path, encoder, photos, monkeypatch):
    _, together = cached(tmp_path, encoder, photos)
    monkeypatch.setattr(features, "_BATCH_SIZE", 2)
    _, in_pairs = cached(tmp_path, encoder, photos)
    _, (alone,) = cached(tmp_path, encoder, photos[4:])
    np.testing.assert_array_equal(together, in_pairs)
    np.testing.assert_allclose(together[4], alone, atol=2e-3)


def test_the_second_view_is_the_mirrored_photo(tmp_path, encoder, photos):
    _, array = cached(tmp_path, encoder, photos[:1])
    upright, mirrored = array[0].reshape(2, 2, 2, 7)  # view, row, column
    np.testing.assert_allclose(mirrored, upright[:, ::-1], atol=2e-3)
    assert np.abs(mirrored - upright).max() > 0.01
    _, array = cached(tmp_path, encoder, photos[:1], mirrored=False)
    assert array.shape == (1, 1, 4, 7)


def test_varied_views_show_the_photo_in_other_ways_that_depend_on_the_seed(tmp_path, encoder, photos):
    good = [photos[0], photos[2], photos[4]]
    _, array = cached(tmp_path, encoder, good, mirrored=False, num_varied=2, seed=5)
    assert array.shape == (3, 3, 4, 7)
    _, plain = cached(tmp_path, encoder, good, mirrored=False)
    np.testing.assert_array_equal(array[:, :1], plain)
    for view in (1, 2):
        assert np.all(np.abs(array[:, view] - array[:, view - 1]).max(axis=(1, 2)) > 0.01)
    _, again = cached(tmp_path, encoder, good, mirrored=False, num_varied=2, seed=5)
    np.testing.assert_array_equal(again, array)
    _, other = cached(tmp_path, encoder, good, mirrored=False, num_varied=2, seed=50)
    assert np.abs(other[:, 1:] - array[:, 1:]).max() > 0.01


def test_a_photo_that_tensorflow_refuses_is_named_and_the_others_go_on(tmp_path, encoder, photos, monkeypatch):
    refused = b"\xff\xd8\xff what Pillow could read"
    read = features.read_photo
    monkeypatch.setattr(features, "read_photo", lambda path: refused if path.endswith("2.png") else read(path))
    faults: list[InputError] = []
    good, array = cached(tmp_path, encoder, photos, on_error=faults.append)
    assert good == [0, 4]
    assert not array[2].any()
    assert "2.png is damaged in a way that TensorFlow refuses" in str(faults[-1])


def test_an_interrupt_leaves_no_half_written_file(tmp_path, encoder, photos):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached(tmp_path, encoder, photos, on_photo=interrupt)
    assert not [path for path in tmp_path.iterdir() if "features" in path.name]


def test_photos_are_read_as_they_are_asked_for(photos, monkeypatch):
    """A hundred thousand photos must not need a hundred thousand photos of memory."""
    read: list[str] = []

    def read_photo(path):
        read.append(path)
        return b"x"

    monkeypatch.setattr(features, "_BATCH_SIZE", 3)
    monkeypatch.setattr(features, "read_photo", read_photo)
    contents = read_photos(iter(photos * 20), lambda error: None)
    assert next(contents) == b"x"
    assert len(read) <= 6
    assert len(list(contents)) == 99


def test_damaged_photos_are_reported_in_order(photos):
    faults: list[InputError] = []
    contents = list(read_photos(photos, faults.append))
    assert [content is None for content in contents] == [False, True, False, True, False]
    assert len(faults) == 2
