"""What `ostinato-video live` does with cameras and streams that go away, stay away, or say nothing."""

import contextlib
import http.server
import json
import threading
import time

import cv2
import numpy as np
import pytest


class CameraOnTheNetwork:
    """Sends motion JPEG over HTTP at 25 frames/s while it is switched on; if silent, it answers nothing."""

    def __init__(self, silent=False):
        camera, self.on = self, threading.Event()
        pictures = [np.full((36, 40, 3), 120, np.uint8) for _ in range(3)]
        for picture in pictures[1:]:
            picture[20:, 22:] = (210, 30, 30)
        images = [cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes() for picture in pictures]

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                with contextlib.suppress(ConnectionError):  # whoever looked has gone
                    if not silent:
                        self.send_response(200)
                        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                        self.end_headers()
                    while camera.on.is_set():
                        for data in [] if silent else images:
                            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                            self.wfile.write(head.encode() + data + b"\r\n")
                            time.sleep(0.04)
                        time.sleep(0.01)

            def log_message(self, *arguments):
                pass

        self._handler, self._port = Handler, 0

    @property
    def address(self):
        return f"http://127.0.0.1:{self._port}/video"

    def switch_on(self):
        self.on.set()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), self._handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def switch_off(self):
        """Hangs up on all who look, and takes no calls."""
        self.on.clear()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        self.switch_on()
        return self

    def __exit__(self, *fault):
        if self.on.is_set():
            self.switch_off()


def test_a_stream_that_goes_away_and_comes_back_is_gone_on_with(run, exported):
    with CameraOnTheNetwork() as camera:

        def react(lines):
            if lines == 4 and camera.on.is_set():
                camera.switch_off()
                threading.Timer(0.7, camera.switch_on).start()

        words = ("--headless", "--patience", 20, "--max-frames", 8)
        code, out, said = run("live", "--source", camera.address, "--model", exported, *words, on_output=react)
    assert code == 0
    records = [json.loads(line) for line in out.splitlines()]
    assert len(records) == 8
    times = [record["time"] for record in records]
    assert times == sorted(times)
    assert max(np.diff(times)) > 0.5, "the time that it was away is told"
    lost, back, summary = said
    assert f"{camera.address} was lost" in lost
    assert "trying for 20 s" in lost
    assert f"{camera.address} is back after" in back
    assert "dropped" in summary


def test_a_stream_that_stays_away_ends_with_a_sentence_and_what_was_labelled_is_kept(run, exported):
    with CameraOnTheNetwork() as camera:

        def react(lines):
            if lines == 2 and camera.on.is_set():
                camera.switch_off()

        words = ("--headless", "--patience", 0.4)
        code, out, said = run("live", "--source", camera.address, "--model", exported, *words, on_output=react)
    assert code == 2
    assert len(out.splitlines()) >= 3
    assert "was lost" in said[0]
    assert "not there again within 0.4 s; check it, then start again" in said[-1]
    assert len(said) == 2


def test_a_stream_that_takes_the_call_and_says_nothing_is_not_waited_for_without_end(run, exported, monkeypatch):
    monkeypatch.setattr("ostinato.frames.sources._NETWORK_TIMEOUT", 0.4)
    with CameraOnTheNetwork(silent=True) as camera:
        began = time.monotonic()
        code, out, said = run("live", "--source", camera.address, "--headless", "--model", exported)
    assert (code, out, len(said)) == (2, "", 1)
    assert f"{camera.address} cannot be reached" in said[0]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("source", "words"),
    [("97", "camera 97"), ("http://user:secret@127.0.0.1:9/video", "http://127.0.0.1:9/video cannot be reached")],
)
def test_a_camera_or_stream_that_cannot_be_reached_is_one_sentence(run, exported, capfd, source, words):
    code, out, said = run("live", "--source", source, "--headless", "--model", exported)
    assert (code, out, len(said)) == (2, "", 1)
    assert words in said[0]
    assert "secret" not in said[0]
    assert capfd.readouterr().err == ""
