"""What the page does with a video: a timeline, and nothing of it or of this machine told or left."""

import re
import tempfile
import threading

import numpy as np
import pytest
from starlette.requests import ClientDisconnect

from ostinato.frames.video_writer import VideoWriter
from ostinato_serve.config import PageConfig
from ostinato_serve.page.applications import Applications
from ostinato_serve.page.tab import Tools
from ostinato_serve.page.video_tab import VideoTab
from ostinato_serve.page.work import Work


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Bytes of a video: a second of red, a second of blue."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with VideoWriter(path, frame_rate=10, size=(32, 24)) as video:
        for colour in [(220, 20, 20)] * 10 + [(20, 20, 220)] * 10:
            video.write(np.full((24, 32, 3), colour, np.uint8))
    return path.read_bytes()


def test_a_video_gets_its_timeline_and_nothing_of_it_is_left(ask, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    answer = ask("POST", "/page/videos", files={"video": ("../../a & b.mp4", clip)})
    assert answer.status_code == 200
    assert re.findall(r'data-label="(\w+)"', answer.text) == ["red", "blue"]
    assert "Timeline of a _ b.mp4" in answer.text
    assert "data:image/png;base64," in answer.text
    assert list(tmp_path.iterdir()) == []


def test_of_a_damaged_video_no_place_on_this_machine_is_told(ask, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    answer = ask("POST", "/page/videos", files={"video": ("short.mp4", clip[:600])})
    assert answer.status_code == 422
    assert "short.mp4" in answer.text
    assert str(tmp_path) not in answer.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile '{}'\n",
        b"v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        b"<?xml version='1.0'?><MPD><BaseURL>file://{}</BaseURL></MPD>",
    ],
)
def test_a_list_of_files_is_no_video_so_that_none_of_this_machine_is_opened(ask, content, clip, tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(clip)
    answer = ask("POST", "/page/videos", files={"video": ("a.mp4", content.replace(b"{}", str(secret).encode()))})
    assert answer.status_code == 422
    assert "no video that can be read" in answer.text


def test_a_video_of_hours_is_not_labelled_here(ask, make_application, clip):
    application = make_application(max_video_minutes=0.01)
    answer = ask("POST", "/page/videos", application=application, files={"video": ("day.mp4", clip)})
    assert answer.status_code == 422
    assert "day.mp4 is longer than 0.01 minutes" in answer.text


def test_a_video_that_nobody_waits_for_any_more_is_not_labelled_to_its_end(model_server, clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip)
    tab = VideoTab(Tools(Applications(model_server), Work(), PageConfig()))
    is_gone = threading.Event()
    is_gone.set()
    with pytest.raises(ClientDisconnect):
        tab._answer("colours", path, "clip.mp4", is_gone)
