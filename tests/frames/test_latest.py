import contextlib
import http.server
import io
import os
import threading
import time

import numpy as np
import pytest
from PIL import Image

from ostinato.errors import ConfigError, InputError
from ostinato.frames.latest import LatestFrame


def next_frame(source):
    got = source.get(timeout=10)
    assert got is not None
    return got


def taken(source, pause=0.0):
    """All frames that come until the end, taken one after another with a pause."""
    frames = []
    while (got := source.get(timeout=10)) is not None:
        frames.append(got)
        time.sleep(pause)
    return frames


def test_a_file_as_fast_as_taken_gives_every_frame(films, tmp_path):
    with LatestFrame(films.write(tmp_path / "a.mp4"), paced=False) as source:
        frames = taken(source, pause=0.01)
        assert [films.number_of(frame.image) for frame, _ in frames] == [k % 10 for k in range(13)]
        assert [frame.time for frame, _ in frames] == pytest.approx([k / 8.117 for k in range(13)], abs=0.001)
        assert (source.captured, source.dropped) == (13, 0)
        assert all(now - at < 5 for (_, at), now in zip(frames, [time.monotonic()] * 13, strict=True))


def test_a_file_played_at_its_own_rate_takes_its_time_and_drops_frames(films, tmp_path):
    path = films.write(tmp_path / "a.mp4", count=30, frame_rate=50)
    began = time.monotonic()
    with LatestFrame(path) as source:
        frames = taken(source, pause=0.1)
        assert time.monotonic() - began > 0.55
        assert len(frames) < 15
        assert source.captured == 30
        assert source.dropped == 30 - len(frames)
        assert frames[-1][0].number == 29  # the newest stays until it is taken
        numbers = [frame.number for frame, _ in frames]
        assert numbers == sorted(numbers)
        for frame, captured_at in frames:
            assert captured_at - began > frame.time - 0.01


def test_frames_of_a_file_come_at_the_rate_and_size_wanted(films, tmp_path):
    path = films.write(tmp_path / "a.mp4", count=20, frame_rate=10)
    with LatestFrame(path, paced=False, frame_rate=5, max_side=35) as source:
        frames = [frame for frame, _ in taken(source)]
    assert [frame.number for frame in frames] == list(range(0, 20, 2))
    assert frames[0].image.shape == (23, 35, 3)


def test_damage_of_a_file_is_told_at_its_end(films, tmp_path):
    path = films.write_timed(tmp_path / "a.mp4", range(0, 2000, 50), movflags="faststart", group=5)
    path.write_bytes(path.read_bytes()[:-3000])
    notices: list[str] = []
    with LatestFrame(path, paced=False, on_notice=notices.append) as source:
        assert 5 < len(taken(source)) < 40
    assert len(notices) == 1
    assert "is damaged or cut short" in notices[0]


@pytest.fixture
def standard_input(monkeypatch):
    """Writes to what stands in for standard input; with None it ends."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file:
        monkeypatch.setattr("sys.stdin", file)
        yield lambda data: os.close(writing) if data is None else os.write(writing, data)


def test_no_frame_in_time_is_not_the_end(standard_input):
    with LatestFrame("-") as source:
        with pytest.raises(TimeoutError, match="standard input sent no frame"):
            source.get(timeout=0.05)
        standard_input(jpeg(100))
        frame, captured_at = next_frame(source)
        assert (frame.number, frame.image.shape) == (0, (38, 52, 3))
        assert 0 <= time.monotonic() - captured_at < 5
        standard_input(None)
        assert source.get(timeout=10) is None
        assert source.get(timeout=10) is None
        assert source.captured == 1


def test_closing_does_not_wait_for_a_silent_source(monkeypatch, standard_input):
    monkeypatch.setattr("ostinato.frames.latest._CLOSE_SECONDS", 0.2)
    began = time.monotonic()
    with LatestFrame("-") as source:
        pass
    assert time.monotonic() - began < 2
    assert source.get(timeout=10) is None
    standard_input(None)


def test_closing_ends_a_file_that_nobody_takes_from(films, tmp_path):
    with LatestFrame(films.write(tmp_path / "a.mp4"), paced=False) as source:
        source.get(timeout=10)
    assert not source._thread.is_alive()
    assert source.get(timeout=0) is None


def test_what_is_not_there_is_named_at_once(tmp_path):
    with pytest.raises(InputError, match=r"none\.mp4 does not exist"):
        LatestFrame(tmp_path / "none.mp4")
    with pytest.raises(InputError, match="cannot be reached"):
        LatestFrame("http://127.0.0.1:9/video")
    with pytest.raises(ConfigError, match="frame rate of -1"):
        LatestFrame("-", frame_rate=-1)


def jpeg(level):
    buffer = io.BytesIO()
    Image.new("RGB", (52, 38), (level, level, level)).save(buffer, "JPEG")
    return buffer.getvalue()


class CameraOnTheNetwork:
    """Sends motion JPEG over HTTP: `levels` frames at a time, brighter from one to the next, then hangs up."""

    def __init__(self, frames_a_call=5, interval=0.02):
        camera = self
        self.level = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # whoever looked has gone
                    self.send_frames()

            def send_frames(self):
                for _ in range(frames_a_call):
                    data = jpeg(camera.level)
                    camera.level += 10
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    self.wfile.write(head.encode() + data + b"\r\n")
                    time.sleep(interval)

            def log_message(self, *arguments):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/video"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.hang_up()

    def hang_up(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def test_a_stream_that_is_lost_is_opened_again():
    notices: list[str] = []
    with CameraOnTheNetwork() as camera, LatestFrame(camera.address, on_notice=notices.append) as source:
        frames = [next_frame(source)[0] for _ in range(8)]
    levels = [int(np.median(frame.image)) for frame in frames]
    assert levels == sorted(levels)
    assert levels[-1] >= 50  # of the second call
    times = [frame.time for frame in frames]
    assert times == sorted(times)
    assert "was lost" in notices[0]
    assert "is back after" in notices[1]


def test_a_stream_that_stays_away_is_told_so():
    with CameraOnTheNetwork() as camera:
        source = LatestFrame(camera.address, patience=0.3)
        source.get(timeout=10)
        camera.hang_up()
    with source, pytest.raises(InputError, match=r"was lost and not there again within 0\.3 s"):
        taken(source)


def test_of_a_fast_stream_only_frames_at_the_rate_wanted_are_given():
    with (
        CameraOnTheNetwork(frames_a_call=25, interval=0.02) as camera,
        LatestFrame(camera.address, frame_rate=10, patience=0.1) as source,
    ):
        times = [next_frame(source)[0].time for _ in range(4)]
    assert min(np.diff(times)) > 0.02
    assert times[-1] > 0.2
