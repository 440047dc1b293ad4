from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ostinato.images.graph import decode_photo, load_photos

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "photos").glob("*.jpg"))

FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "jpeg": ("RGB", "JPEG", {}),
    "progressive jpeg": ("RGB", "JPEG", {"progressive": True}),
    "grey jpeg": ("L", "JPEG", {}),
    "cmyk jpeg": ("CMYK", "JPEG", {"quality": 95}),
    "png": ("RGB", "PNG", {}),
    "interlaced grey png": ("L", "PNG", {"interlace": 1}),
    "black and white png": ("1", "PNG", {}),
    "palette png": ("P", "PNG", {}),
    "gif": ("P", "GIF", {}),
    "grey gif": ("L", "GIF", {}),
    "bmp": ("RGB", "BMP", {}),
    "palette bmp": ("P", "BMP", {}),
    "webp": ("RGB", "WEBP", {}),
    "lossless webp": ("RGB", "WEBP", {"lossless": True}),
}


@pytest.fixture
def files(picture, encode):
    return {name: encode(picture.convert(mode), kind, **options) for name, (mode, kind, options) in FILES.items()}


@pytest.mark.parametrize("name", FILES)
def test_a_photo_looks_as_pillow_shows_it(files, seen, name):
    photo = decode_photo(files[name]).numpy()
    assert photo.dtype == np.uint8
    np.testing.assert_allclose(photo, seen(files[name]), atol=3 if name in ("cmyk jpeg", "webp") else 1)


@pytest.mark.parametrize("path", SAMPLES[:3], ids=lambda path: path.name)
def test_a_real_photo_is_decoded_as_pillow_decodes_it(path, seen):
    data = path.read_bytes()
    assert np.abs(decode_photo(data).numpy() - seen(data)).mean() < 0.5


def test_each_photo_of_a_batch_is_what_it_is_alone(files):
    batch = list(files.values())
    together = load_photos(tf.constant(batch), 33)
    alone = tf.concat([load_photos(tf.constant([data]), 33) for data in batch], axis=0)
    np.testing.assert_array_equal(together, alone)
    assert together.shape == (len(batch), 33, 33, 3)
    assert together.dtype == tf.float32


def test_an_empty_batch_keeps_its_shape():
    assert load_photos(tf.constant([], tf.string), 33).shape == (0, 33, 33, 3)


def test_pixels_stay_within_0_and_255():
    stripes = np.zeros((40, 41, 3), np.uint8)
    stripes[:, ::2] = 255
    square = load_photos([tf.io.encode_png(stripes).numpy()], 13)
    assert 0 <= float(tf.reduce_min(square)) <= float(tf.reduce_max(square)) <= 255


def test_a_wide_photo_is_squashed_not_cropped():
    wide = np.zeros((10, 90, 3), np.uint8)
    wide[:, :30], wide[:, 30:60], wide[:, 60:] = [255, 0, 0], [0, 255, 0], [0, 0, 255]
    square = load_photos([tf.io.encode_png(wide).numpy()], 30)[0]
    for first, last, channel in ((0, 8, 0), (11, 18, 1), (21, 29, 2)):  # each colour keeps its third
        np.testing.assert_allclose(square[:, first : last + 1, channel], 255, atol=1e-3)


def test_a_photo_of_the_right_size_is_not_touched():
    photo = np.random.default_rng(5).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    np.testing.assert_array_equal(load_photos([tf.io.encode_png(photo).numpy()], 224)[0], photo)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_resized_as_if_it_had_been_stored_upright(picture, encode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(picture, "JPEG", exif=exif)
    expected = tf.image.resize(decode_photo(data), [17, 17], antialias=True)
    np.testing.assert_allclose(load_photos([data], 17)[0], expected, atol=1e-2)


def test_shrinking_is_smoothed(picture, encode):
    """Pillow's bilinear filter widens with the scale too: an independent antialiasing."""
    expected = np.asarray(picture.resize((9, 9), Image.Resampling.BILINEAR)).astype(float)
    np.testing.assert_allclose(load_photos([encode(picture, "PNG")], 9)[0], expected, atol=1.5)


def test_the_exported_graph_gives_the_same_with_core_operations_only(files, tmp_path):
    model = tf.Module()
    signature = [tf.TensorSpec([None], tf.string, name="image_bytes")]
    model.load = tf.function(
        lambda image_bytes: {"photos": load_photos(image_bytes, 33)}, autograph=False, input_signature=signature
    )
    tf.saved_model.save(model, str(tmp_path), signatures=model.load)
    served = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]

    batch = tf.constant(list(files.values()))
    np.testing.assert_array_equal(served(image_bytes=batch)["photos"], load_photos(batch, 33))
    assert served(image_bytes=batch[:0])["photos"].shape == (0, 33, 33, 3)
    assert served.structured_outputs["photos"].shape.as_list() == [None, 33, 33, 3]
    graph = served.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    operations = {node.op for node in nodes}
    assert "DecodeJpeg" in operations
    assert not [name for name in operations if "Py" in name or ">" in name]  # Namespace>Op: an op library's own


def test_a_data_pipeline_gives_the_same(files):
    batch = list(files.values())
    (piped,) = tf.data.Dataset.from_tensor_slices(batch).batch(50).map(lambda data: load_photos(data, 33))
    np.testing.assert_array_equal(piped, load_photos(tf.constant(batch), 33))


@pytest.mark.parametrize("data", [b"", b"\xff", b"not a photo, but text", b"II*\0" + bytes(100), b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_photo_is_refused(data):
    with pytest.raises(tf.errors.InvalidArgumentError, match="no JPEG, PNG, GIF, BMP or WebP"):
        decode_photo(data)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.9])
def test_a_file_cut_short_is_refused(files, name, kept):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_photo(files[name][: int(kept * len(files[name]))])
