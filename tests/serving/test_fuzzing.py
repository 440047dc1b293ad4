"""What comes from a network may be anything: requests and photos at random.

A short run with fixed examples by default. `OSTINATO_FUZZ_EXAMPLES=100000` makes it a long one, at random.
"""

import base64
import io
import json
import os

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ostinato.images.graph import load_photos
from ostinato.serving.errors import ServingError
from ostinato.serving.rest_answers import error_body
from ostinato.serving.rest_requests import read_request
from ostinato.serving.servable import Servable, Signature, TensorInfo

NUM_EXAMPLES = int(os.environ.get("OSTINATO_FUZZ_EXAMPLES", "0"))
fuzz = settings(
    max_examples=NUM_EXAMPLES or 60,
    derandomize=not NUM_EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

DTYPES = [
    "string",
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "half",
]
SIGNATURES = {
    "": Signature({"x": TensorInfo("x:0", "float32", None)}, {}, ""),
    "text": Signature({"text": TensorInfo("x:0", "string", (-1,))}, {}, ""),
    "all": Signature({dtype: TensorInfo(f"{dtype}:0", dtype, None) for dtype in DTYPES}, {}, ""),
    "none": Signature({}, {}, ""),
}

texts = st.text(max_size=8) | st.sampled_from(
    ["b64", "x", "text", "instances", "inputs", "signature_name", "all", "\0"]
)
numbers = st.integers() | st.floats() | st.integers(-(2**65), 2**65) | st.sampled_from([2**24, 1e39, -0.0])
base64_objects = st.binary(max_size=8).map(lambda value: {"b64": base64.b64encode(value).decode().rstrip("=")})
leaves = st.none() | st.booleans() | numbers | texts | base64_objects | st.fixed_dictionaries({"b64": texts})
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=30
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "instances": values | st.lists(st.fixed_dictionaries({"x": values}), max_size=3),
        "inputs": values | st.fixed_dictionaries(dict.fromkeys(DTYPES, values)),
        "signature_name": st.sampled_from(["", "text", "all", "none", "no"]) | values,
    },
)


def find_signature(name):
    if name not in SIGNATURES:
        raise ServingError("INVALID_ARGUMENT", "no such signature")
    return SIGNATURES[name]


def read(body):
    """Reads a body, which may be refused, but in no other way."""
    request, refusal = None, None
    try:
        request = read_request(body, find_signature)
    except ServingError as error:
        refusal = error
    if refusal is not None:
        assert refusal.code in ("INVALID_ARGUMENT", "UNIMPLEMENTED")
        assert len(refusal.message) < 1000
        error_body(refusal.message)  # can be written
        return
    for name, info in find_signature(request.signature_name.replace("serving_default", "")).inputs.items():
        array = request.inputs[name]
        assert (array.dtype.name, info.dtype) in ((info.dtype, info.dtype), ("object", "string"))
        assert array.dtype != object or all(isinstance(each, bytes) for each in array.flat)


@fuzz
@given(st.binary(max_size=200))
def test_a_body_of_any_bytes_is_read_or_refused(body):
    read(body)


@fuzz
@given(documents | values)
def test_any_json_is_read_or_refused(document):
    read(json.dumps(document).encode())


@fuzz
@given(documents, st.data())
def test_json_that_was_damaged_on_its_way_is_read_or_refused(document, data):
    read(damaged(json.dumps(document, ensure_ascii=False).encode(errors="surrogatepass"), data))


@fuzz
@given(st.integers(0, 100_000), st.sampled_from(["[", '{"a":', '[{"b":', '{"instances":[']))
def test_json_of_any_depth_is_read_or_refused(depth, opening):
    read((opening * depth).encode())
    read(('{"instances":' + "[" * depth + "1" + "]" * depth + "}").encode())


@fuzz
@given(st.data())
def test_what_is_sent_is_what_is_read(data):
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    size = int(np.prod(shape))
    floats = st.floats(width=32, allow_subnormal=False)
    array = np.array(data.draw(st.lists(floats, min_size=size, max_size=size)), np.float32).reshape(shape)
    for form in ("instances", "inputs"):
        request = read_request(json.dumps({form: array.tolist()}).encode(), find_signature)
        np.testing.assert_array_equal(request.inputs["x"], array)
    strings = data.draw(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
    rows = [{"b64": base64.b64encode(each).decode()} for each in strings]
    request = read_request(json.dumps({"instances": rows, "signature_name": "text"}).encode(), find_signature)
    assert request.inputs["text"].tolist() == strings


def damaged(content, data):
    """Bytes that were cut, doubled, or overwritten, the sizes in headers by extreme ones too."""
    content = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        if not content:
            break
        start = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.integers(0, 4)):
            case 0:
                del content[start : start + data.draw(st.integers(1, 16))]
            case 1:
                del content[start:]
            case 2:
                content[start:start] = content[start : start + data.draw(st.integers(1, 32))]
            case 3:
                extremes = [b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\xff\xff", b"\x80"]
                new = data.draw(st.sampled_from(extremes))
                content[start : start + len(new)] = new
            case 4:
                content[start] = data.draw(st.integers(0, 255))
    return bytes(content)


def photos():
    pixels = np.random.default_rng(5).integers(0, 256, (13, 17, 4), np.uint8)
    colour, clear = Image.fromarray(pixels[..., :3].copy()), Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    for image, options in [
        (colour, {"format": "JPEG", "exif": exif}),
        (colour, {"format": "JPEG", "progressive": True}),
        (colour.convert("CMYK"), {"format": "JPEG"}),
        (clear, {"format": "PNG"}),
        (colour.convert("P"), {"format": "PNG", "transparency": 3}),
        (colour.convert("I;16"), {"format": "PNG"}),
        (colour, {"format": "GIF"}),
        (clear, {"format": "GIF", "save_all": True, "append_images": [clear.rotate(90)]}),
        (colour, {"format": "BMP"}),
        (colour.convert("P"), {"format": "BMP"}),
        (colour, {"format": "WEBP"}),
        (clear, {"format": "WEBP", "lossless": True}),
        (clear, {"format": "WEBP", "save_all": True, "append_images": [clear.rotate(90)], "exif": exif}),
    ]:
        buffer = io.BytesIO()
        image.save(buffer, **options)
        yield buffer.getvalue()


class Looking(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "image_bytes")], autograph=False)
    def look(self, image_bytes):
        return {"pixels": load_photos(image_bytes, 8)}


@pytest.fixture(scope="module")
def looking(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looking") / "1"
    tf.saved_model.save(module := Looking(), str(folder), signatures=module.look)
    return Servable.load(folder)


def look(servable, photo):
    """Decodes a photo, which may be refused, but in no other way."""
    refusal = None
    try:
        pixels = servable.predict("serving_default", {"image_bytes": np.array([photo], object)})["pixels"]
    except ServingError as error:
        refusal = error
    if refusal is not None:
        assert refusal.code == "INVALID_ARGUMENT", refusal.message
        return False
    assert pixels.shape == (1, 8, 8, 3)
    assert np.isfinite(pixels).all()
    return True


def test_photos_of_every_kind_are_seen(looking):
    assert all(look(looking, photo) for photo in photos())


@fuzz
@given(st.sampled_from(list(photos())), st.data())
def test_photos_that_were_damaged_on_their_way_are_seen_or_refused(looking, photo, data):
    look(looking, damaged(photo, data))


@fuzz
@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"RIFF....WEBPVP8 "]), st.binary())
def test_bytes_that_begin_like_a_photo_are_refused(looking, beginning, rest):
    assert not look(looking, beginning + rest)
