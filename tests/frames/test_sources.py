import io
import os

import numpy as np
import pytest
from PIL import Image

from ostinato.errors import InputError
from ostinato.frames.camera import Camera
from ostinato.frames.sources import JpegPipe, NetworkStream, is_camera, is_file, source_name


def test_sources_are_told_apart():
    assert all(is_camera(source) for source in (0, "3", "/dev/video2"))
    assert all(is_file(source) for source in ("clip.mp4", "a/3", "C:/clips/1.mp4"))
    assert not any(is_camera(s) or is_file(s) for s in ("-", "/dev/stdin", "rtsp://host/1", "http://host/a.mp4"))


def test_no_message_tells_a_password():
    assert source_name("rtsp://me:secret@host:554/1?at=2") == "rtsp://host:554/1?at=2"
    with pytest.raises(InputError) as fault:
        NetworkStream("rtsp://me:secret@127.0.0.1:9/1")
    assert "secret" not in str(fault.value)
    assert "rtsp://127.0.0.1:9/1 cannot be reached (Connection refused)" in str(fault.value)


def test_a_camera_that_is_not_there_is_named(capfd):
    with pytest.raises(InputError, match="camera 97 cannot be opened"):
        Camera("97")
    assert capfd.readouterr().err == ""


def test_images_in_a_pipe_are_read_past_damaged_ones():
    reading, writing = os.pipe()
    for level in (50, 150, 250):
        buffer = io.BytesIO()
        Image.new("RGB", (52, 38), (level, 20, 20)).save(buffer, "JPEG")
        data = bytearray(buffer.getvalue())
        if level == 150:
            place = data.index(b"\xff\xc0") + 5
            data[place : place + 4] = bytes(4)  # no pixels
        os.write(writing, data)
    os.close(writing)
    pipe = JpegPipe(reading, max_side=26)
    images = [pipe.read(), pipe.read()]
    assert pipe.read() is None
    os.close(reading)
    assert [(np.shape(image), image.dtype) for image in images if image is not None] == [((19, 26, 3), np.uint8)] * 2
    np.testing.assert_allclose([np.asarray(image)[9, 13] for image in images], [(50, 20, 20), (250, 20, 20)], atol=3)


def test_a_pipe_without_an_image_is_told_so():
    reading, writing = os.pipe()
    os.write(writing, b"no image")
    os.close(writing)
    with pytest.raises(InputError, match="held no JPEG image"):
        JpegPipe(reading).read()
    os.close(reading)
