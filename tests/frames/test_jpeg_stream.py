import io

import numpy as np
import pytest
from PIL import Image

from ostinato.frames.jpeg_stream import JpegSplitter


def jpeg(seed, **options):
    """Noise: its data hold stuffed zeros, and with a thumbnail other images within."""
    pixels = np.random.default_rng(seed).integers(0, 256, (37, 53, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def with_thumbnail(outer, inner):
    segment = b"Exif\0\0" + inner
    return outer[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + outer[2:]


IMAGES = [jpeg(0), jpeg(1, progressive=True), with_thumbnail(jpeg(2), jpeg(3)), jpeg(4, restart_marker_blocks=2)]


def split(data, size):
    splitter = JpegSplitter()
    images = [image for start in range(0, len(data), size) for image in splitter.add(data[start : start + size])]
    return images, splitter.passed_over


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_images_come_whole_however_their_bytes_are_cut(size):
    assert split(b"".join(IMAGES), size) == (IMAGES, 0)


def test_an_image_is_there_with_its_last_byte():
    splitter = JpegSplitter()
    assert list(splitter.add(IMAGES[0][:-1])) == []
    assert list(splitter.add(IMAGES[0][-1:])) == [IMAGES[0]]


@pytest.mark.parametrize("size", [7, 10**6])
def test_what_is_no_image_is_passed_over(size):
    torn = IMAGES[0][: len(IMAGES[0]) // 2]
    between = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"
    images, passed_over = split(between + IMAGES[0] + torn + IMAGES[1] + between + IMAGES[3], size)
    assert images == [IMAGES[0], IMAGES[1], IMAGES[3]]
    assert passed_over == 2 * len(between) + len(torn)


def test_an_endless_stream_of_other_bytes_is_not_kept():
    splitter = JpegSplitter()
    for _ in range(50):
        assert list(splitter.add(bytes(10000))) == []
    assert splitter.passed_over >= 499_999
