import io

import pytest

from ostinato.errors import InputError
from ostinato_serve.page.uploads import shown_name, video_file


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
