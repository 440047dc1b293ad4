"""Small films for tests."""

import struct
from fractions import Fraction
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

LEVELS = 24  # brightness from one frame to the next


def picture(number, height=46, width=70):
    """A grey that tells the number of its frame (of ten), with a red corner at the top left."""
    image = np.full((height, width, 3), 20 + LEVELS * (number % 10), np.uint8)
    image[: height // 3, : width // 3] = (220, 20, 20)
    return image


def number_of(image):
    """The number, modulo ten, that `picture` wrote into an image."""
    return round((float(image[image.shape[0] // 2 :, image.shape[1] // 2 :].mean()) - 20) / LEVELS)


def write_film(path, count=13, frame_rate=8.117, codec="mp4v", height=46, width=70):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), frame_rate, (width, height))
    assert writer.isOpened()
    for number in range(count):
        writer.write(cv2.cvtColor(picture(number, height, width), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def write_timed_film(path, milliseconds, codec="mpeg4", group=12, **options):
    """A film whose frames come at times of their own."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=1000)
        stream.width, stream.height, stream.pix_fmt = 70, 46, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.qmax = group, 3
        stamps = list(milliseconds)
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            frame.duration = stamps[number + 1] - stamp if number + 1 < len(stamps) else stamp - stamps[number - 1]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn(path, degrees):
    """Tells an MP4 file's header that the camera was held so: degrees clockwise to turn the frames at display."""
    data = bytearray(path.read_bytes())
    a, b = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = struct.pack(">9i", a << 16, b << 16, 0, -b << 16, a << 16, 0, 0, 0, 1 << 30)
    place = data.index(b"tkhd") + 4 + 40  # version 0: flags, times, track, duration, layer, volume
    data[place : place + 36] = matrix
    path.write_bytes(data)
    return path


@pytest.fixture
def films():
    """What writes small films, and reads them back."""
    return SimpleNamespace(
        picture=picture, number_of=number_of, write=write_film, write_timed=write_timed_film, turn=turn
    )
