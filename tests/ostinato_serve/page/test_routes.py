"""The page over HTTP, without a browser: what it answers, and what it refuses in a sentence."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from ostinato.serving.model_server import ModelServer


def picture(colour, kind="PNG", size=(40, 30)):
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, kind)
    return content.getvalue()


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


def test_uploads_have_limits_of_size(ask, make_application):
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
    return {
        "HX-Request": "true",
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "multipart/form-data; boundary=x",
    }


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


def test_the_licences_of_what_others_made_lie_beside_it():
    static = Path(__file__).parents[3] / "apps" / "ostinato_serve" / "page" / "static"
    notice = (static / "NOTICE").read_text()
    foreign = [path.name for path in static.iterdir() if ".min." in path.name]
    assert len(foreign) == 2
    assert [name for name in foreign if name not in notice] == []
