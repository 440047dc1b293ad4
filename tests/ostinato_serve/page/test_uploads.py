import asyncio
import io
from types import SimpleNamespace

import pytest
from starlette.datastructures import State
from starlette.requests import Request

from ostinato.errors import InputError
from ostinato.serving import ServingError
from ostinato_serve.page import uploads
from ostinato_serve.page.uploads import form_of, shown_name, text_field, video_file


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("cat.mp4", "cat.mp4"),
        ("C:\\films\\cat 2.mp4", "cat 2.mp4"),
        ("/etc/passwd", "passwd"),
        ("../..", "upload"),
        (".bashrc", "bashrc"),
        ("a%d<script>.mp4", "a_d_script_.mp4"),
        ("", "upload"),
        (None, "upload"),
        ("x" * 300 + ".mp4", "x" * 76 + ".mp4"),
    ],
)
def test_of_a_name_only_what_names_a_file_is_kept(given, shown):
    assert shown_name(given) == shown


@pytest.mark.parametrize(
    "beginning",
    [
        b"\x00\x00\x00\x18ftypisom",
        b"\x00\x00\x00\x08wide",
        b"\x1aE\xdf\xa3",
        b"RIFF\x01\x02\x03\x04AVI LIST",
        b"OggS",
        b"G" + bytes(187) + b"G",
    ],
)
def test_a_video_lies_in_a_folder_of_its_own_until_it_is_labelled(beginning):
    with video_file(io.BytesIO(beginning + bytes(300)), "cat.mp4") as path:
        assert path.name == "cat.mp4"
        assert path.read_bytes() == beginning + bytes(300)
        folder = path.parent
    assert not folder.exists()


@pytest.mark.parametrize(
    "content", [b"", b"#EXTM3U\n", b"ffconcat version 1.0\n", b"<svg/>", b"RIFF1234WAVE", b"G" * 50]
)
def test_what_begins_as_no_video_is_refused(content):
    with pytest.raises(InputError, match=r"cat\.mp4 is no video"), video_file(io.BytesIO(content), "cat.mp4"):
        pass


def test_all_uploads_together_have_a_limit_and_make_room_when_they_are_answered(monkeypatch):
    monkeypatch.setattr(uploads, "_BYTES_TOGETHER", 75_000)
    app = SimpleNamespace(state=State())

    def form(size):
        async def receive():
            return {"type": "http.request", "body": b"text=" + b"x" * (size - 5)}

        kind = (b"content-type", b"application/x-www-form-urlencoded")
        return form_of(Request({"type": "http", "app": app, "headers": [kind]}, receive), 5_000, 5.0)

    async def ask():
        async with form(40_000), form(30_000) as other:
            assert len(text_field(other, "text")) == 29_995
            with pytest.raises(ServingError, match="too much is being uploaded already") as raised:
                async with form(10_000):
                    pass
            assert (raised.value.http_status, raised.value.retry_after) == (503, 5.0)
            assert app.state.upload_bytes == 70_000
        async with form(10_000):
            pass

    asyncio.run(ask())
    assert app.state.upload_bytes == 0
