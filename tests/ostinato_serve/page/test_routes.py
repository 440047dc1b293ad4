"""The page over HTTP, without a browser: who may ask for what, and what is left of it."""

import asyncio
import io
import re
import tempfile
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.requests import ClientDisconnect

from ostinato.frames.video_writer import VideoWriter
from ostinato.serving.model_server import ModelServer
from ostinato_serve.config import PageConfig
from ostinato_serve.page.applications import Applications
from ostinato_serve.page.tab import Tools
from ostinato_serve.page.video_tab import VideoTab
from ostinato_serve.page.work import Work

FROM_THE_PAGE = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def ask(make_application):
    """Asks an application, the page's as it is usually made if none is given."""

    def call(method, path, *, application=None, cookies=None, headers=FROM_THE_PAGE, **content):
        async def send():
            transport = httpx.ASGITransport(app=application or make_application())
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies=cookies) as client:
                return await client.request(method, path, headers=headers, **content)

        return asyncio.run(send())

    return call


def picture(colour, kind="PNG", size=(40, 30)):
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, kind)
    return content.getvalue()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Bytes of a video: a second of red, a second of blue."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with VideoWriter(path, frame_rate=10, size=(32, 24)) as video:
        for colour in [(220, 20, 20)] * 10 + [(20, 20, 220)] * 10:
            video.write(np.full((24, 32, 3), colour, np.uint8))
    return path.read_bytes()


def test_the_page_names_the_applications_and_lets_a_browser_fetch_from_nowhere_else(ask):
    answer = ask("GET", "/")
    assert answer.status_code == 200
    assert re.findall(r'role="tab"[^>]*>([^<]+)<', answer.text) == ["Captions", "Translation", "Video", "Gestures"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "'unsafe" not in answer.headers["content-security-policy"]
    fetched = re.findall(r'(?:src|href)="(?!#)([^"]+)"', answer.text)
    assert fetched
    assert [address for address in fetched if not address.startswith("page/")] == []


def test_where_a_model_is_missing_its_tab_says_so(ask, make_application, models):
    with ModelServer({"caption": models["caption"]}) as server:
        application = make_application(server)
        answer = ask("GET", "/", application=application)
        assert "No model that recognises gestures is served here" in answer.text
        assert 'id="photo"' in answer.text
        refused = ask("POST", "/page/translations", application=application, data={"text": "one", "target": "de"})
    assert refused.status_code == 404
    assert "No model that translates" in refused.text


@pytest.mark.parametrize(("colour", "word"), [("white", "white"), ("black", "black")])
def test_a_photo_gets_captions_of_words_that_say_where_they_looked(ask, colour, word):
    answer = ask("POST", "/page/captions", files={"photo": ("<b>cat</b>.png", picture(colour))})
    assert answer.status_code == 200
    assert re.findall(r'data-grid="([0-9,]+)" data-columns="2"[^>]*>(\w+)<', answer.text)[:2] == [
        ("255,0,0,0", "a"),
        ("0,255,0,0", word),
    ]
    assert "50.0 % sure" in answer.text
    assert "<b>" not in answer.text


def test_what_is_computed_for_the_page_is_counted_with_all_else(ask, model_server):
    def computed():
        rows = re.search(rb'batch_rows_sum\{[^}]*model="caption"[^}]*\} ([0-9.]+)', model_server.metrics.page())
        return float(rows[1]) if rows else 0.0

    before = computed()
    ask("POST", "/page/captions", files={"photo": ("cat.png", picture("white"))})
    assert computed() == before + 1


def test_a_sentence_gets_a_translation_with_its_alignment(ask):
    answer = ask("POST", "/page/translations", data={"text": "two dogs run", "source": "en", "target": "de"})
    assert re.findall(r'data-weights="([0-9,]+)" title="([^"]+)"[^>]*>(\w+)<', answer.text) == [
        ("0,0,100", "run, 100 %", "RUN"),
        ("0,100,0", "dogs, 100 %", "DOGS"),
        ("100,0,0", "two, 100 %", "TWO"),
    ]
    unlearned = ask("POST", "/page/translations", data={"text": "ein Hund", "source": "de", "target": "fr"})
    assert unlearned.status_code == 422
    assert "from de to fr; languages to choose: en" in unlearned.text


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


@pytest.mark.parametrize(
    "path",
    [
        "/page/static/../routes.py",
        "/page/static/..%2froutes.py",
        "/page/static/%2e%2e/%2e%2e/config.py",
        "/page/static//etc/passwd",
        "/page/static/..%5croutes.py",
        "/page/samples/photos/..%2f..%2fsentences.txt",
        "/page/samples/photos/%2fetc%2fpasswd",
        "/page/videos/samples/..%2f..%2f..%2fpyproject.toml",
        "/page/templates/index.html",
        "/page/captions/../../pyproject.toml",
    ],
)
def test_no_address_leads_to_a_file_of_the_machine(ask, path):
    assert ask("GET", path).status_code in (404, 405)


@pytest.mark.parametrize("name", ["../../pyproject.toml", "/etc/passwd", "..", ""])
def test_no_name_of_a_sample_leads_to_a_file_of_the_machine(ask, name):
    for path in ("/page/captions", "/page/videos"):
        assert ask("POST", path, files={"sample": (None, name)}).status_code == 422
    assert ask("POST", "/page/gestures/sample", data={"sample": name}).status_code == 404


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "Sec-Fetch-Site": "cross-site"}, {"HX-Request": "no"}])
def test_another_page_cannot_make_a_browser_ask(ask, headers):
    answer = ask("POST", "/page/translations", headers=headers, data={"text": "two dogs", "target": "de"})
    assert answer.status_code == 403


def test_a_page_that_was_lured_here_under_another_name_is_refused(ask):
    assert ask("GET", "/", headers={"Host": "evil.example"}).status_code == 403


def test_uploads_have_limits_of_size(ask, make_application, clip):
    application = make_application(max_photo_mb=0.001, max_video_mb=0.001)
    for path, field in (("/page/captions", "photo"), ("/page/videos", "video")):
        answer = ask("POST", path, application=application, files={field: ("large", bytes(10**6))})
        assert answer.status_code == 413
        assert "more than 1048 bytes" in answer.text
    endless = ask("POST", "/page/captions", application=application, content=_endless(), headers=_form_headers())
    assert endless.status_code == 413


async def _endless():
    yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
    for _ in range(100):
        yield bytes(10_000)


def _form_headers():
    return {**FROM_THE_PAGE, "Content-Type": "multipart/form-data; boundary=x"}


def test_a_video_of_hours_is_not_labelled_here(ask, make_application, clip):
    application = make_application(max_video_minutes=0.01)
    answer = ask("POST", "/page/videos", application=application, files={"video": ("day.mp4", clip)})
    assert answer.status_code == 422
    assert "day.mp4 is longer than 0.01 minutes" in answer.text


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/page/captions", {"files": {"photo": ("a.png", b"no photo")}}),
        ("/page/captions", {"files": {"photo": ("a.png", picture("white")[:-20])}}),
        ("/page/captions", {}),
        ("/page/videos", {"files": {"video": ("a.mp4", b"")}}),
        ("/page/translations", {"data": {"text": "  ", "target": "de"}}),
        ("/page/translations", {"data": {"text": "two", "target": "klingon"}}),
        ("/page/translations", {"data": {"text": "two " * 900, "target": "de"}}),
    ],
)
def test_mistakes_are_told_in_a_sentence(ask, path, content):
    answer = ask("POST", path, **content)
    assert answer.status_code == 422
    assert re.search(r'<p class="problem" role="alert">[^<]+ [^<]+\.</p>', answer.text)


def test_a_camera_is_answered_frame_by_frame_and_each_gesture_named_once(ask, make_application, painted_hands):
    application = make_application()
    session = ask("POST", "/page/gestures", application=application, data={}).json()["session"]
    events, shown = [], 0
    for number in range(30):
        frame = picture("white" if 5 <= number < 20 else "black", "JPEG")
        path = f"/page/gestures/{session}?time={number / 10}"
        answer = ask("POST", path, application=application, content=frame).json()
        events += [answer["event"]["label"]] if "event" in answer else []
        shown += len(answer["hands"])
    assert events == ["wave"]
    assert shown == 15
    assert ask("POST", f"/page/gestures/{session}/end", application=application).status_code == 204
    after = ask("POST", f"/page/gestures/{session}?time=4", application=application, content=picture("white", "JPEG"))
    assert after.status_code == 404


@pytest.mark.parametrize(
    ("query", "frame"),
    [("time=1", b"no photo"), ("time=1", picture("white")), ("time=x", picture("white", "JPEG")), ("", b"")],
)
def test_what_is_no_frame_is_refused_and_the_stream_goes_on(ask, make_application, painted_hands, query, frame):
    application = make_application()
    session = ask("POST", "/page/gestures", application=application, data={}).json()["session"]
    assert ask("POST", f"/page/gestures/{session}?{query}", application=application, content=frame).status_code == 422
    good = ask("POST", f"/page/gestures/{session}?time=2", application=application, content=picture("white", "JPEG"))
    assert good.json()["label"] == "wave"


def test_what_the_server_lacks_for_gestures_is_told_with_where_to_get_it(ask, monkeypatch):
    def missing(num_hands):
        raise ModuleNotFoundError("No module named 'mediapipe'", name="mediapipe")

    monkeypatch.setattr("ostinato_gesture.gesture_stream.HandLandmarks", missing)
    answer = ask("POST", "/page/gestures", data={})
    assert answer.status_code == 501
    assert "pip install &#39;ostinato[gesture]&#39;" in answer.text


def test_a_video_that_nobody_waits_for_any_more_is_not_labelled_to_its_end(model_server, clip, tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(clip)
    tab = VideoTab(Tools(Applications(model_server), Work(), PageConfig()))
    is_gone = threading.Event()
    is_gone.set()
    with pytest.raises(ClientDisconnect):
        tab._answer("colours", path, "clip.mp4", is_gone)


def test_with_a_token_a_browser_signs_in_once_and_the_rest_interface_still_wants_the_header(ask, make_application):
    application = make_application(token="secret")
    turned_away = ask("GET", "/", application=application)
    assert (turned_away.status_code, turned_away.headers["location"]) == (303, "page/sign-in")
    assert ask("POST", "/page/captions", application=application).status_code == 401
    assert ask("GET", "/page/static/page.css", application=application).status_code == 200
    assert 'name="token"' in ask("GET", "/page/sign-in", application=application).text
    wrong = ask("POST", "/page/sign-in", application=application, data={"token": "guess"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (403, False)

    right = ask("POST", "/page/sign-in", application=application, data={"token": "secret"})
    cookie = right.headers["set-cookie"]
    assert "secret" not in cookie
    assert all(each in cookie for each in ("HttpOnly", "SameSite=strict"))
    cookies = dict(right.cookies)
    assert ask("GET", "/", application=application, cookies=cookies).status_code == 200
    assert ask("GET", "/v1/models/caption", application=application, cookies=cookies).status_code == 401
    forged = {name: value[:-1] + "_" for name, value in cookies.items()}
    assert ask("GET", "/", application=application, cookies=forged).status_code == 303
    bearer = {"Authorization": "Bearer secret"}
    assert ask("GET", "/v1/models/caption", application=application, headers=bearer).status_code == 200


def test_the_licences_of_what_others_made_lie_beside_it():
    static = Path(__file__).parents[3] / "apps" / "ostinato_serve" / "page" / "static"
    notice = (static / "NOTICE").read_text()
    foreign = [path.name for path in static.iterdir() if ".min." in path.name]
    assert len(foreign) == 2
    assert [name for name in foreign if name not in notice] == []
