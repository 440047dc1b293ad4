"""The page in a real browser: Chromium, headless, with a camera that is a file."""

import asyncio
import contextlib
import shutil
import socket
import threading

import numpy as np
import pytest
from PIL import Image

from ostinato.frames.video_writer import VideoWriter
from ostinato.serving.http_server import http_server
from ostinato_serve.page import samples

playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
expect = playwright_api.expect
expect.set_options(timeout=30_000)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@contextlib.contextmanager
def serving(application):
    """Serves an application on loopback by the real server; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = http_server(application, "127.0.0.1", 0, drain_seconds=1)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def address(make_application, painted_hands):
    with serving(make_application(max_photo_mb=0.5)) as address:
        yield address


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """A film for the camera: two seconds dark, one and a half bright, again and again."""
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W320 H240 F10:1 Ip A1:1 C420jpeg\n")
        for brightness in np.repeat([30, 220], [20, 15]):
            file.write(b"FRAME\n" + bytes([brightness]) * (320 * 240) + bytes([128]) * (320 * 240 // 2))
    return path


@pytest.fixture(scope="module")
def browser(camera):
    arguments = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*arguments, f"--use-file-for-fake-video-capture={camera}"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """Opens the page; at the end nothing may have been fetched from elsewhere or gone wrong in a script."""
    with contextlib.ExitStack() as stack:
        fetched, faults = [], []

        def call(viewport=DESK, part=""):
            context = browser.new_context(viewport=viewport, has_touch=viewport is PHONE, color_scheme="light")
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(30_000)
            page.on("request", lambda request: fetched.append(request.url))
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            page.goto(address + part)
            return page

        yield call
    assert fetched
    assert [url for url in fetched if not url.startswith((address, "data:", "blob:"))] == []
    # A refusal that the page shows in a sentence is noted by the browser as well.
    assert [fault for fault in faults if "the server responded with a status of 4" not in fault] == []


@pytest.fixture(scope="module")
def white_photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "white.png"
    Image.new("RGB", (300, 200), "white").save(path)
    return path


def brightness(page, x, y):
    """How bright the photo is at a place, both as shares of its size, under its spotlight."""
    return page.evaluate(
        """([x, y]) => {
          const canvas = document.querySelector(".frame canvas");
          const [, , , alpha] = canvas.getContext("2d").getImageData(x * canvas.width, y * canvas.height, 1, 1).data;
          return 255 - alpha;
        }""",
        [x, y],
    )


def test_a_photo_is_captioned_and_each_word_lights_what_it_looked_at(open_page, white_photo):
    page = open_page()
    page.set_input_files("#photo", white_photo)
    words = page.locator("#captions-result li:first-child .word")
    expect(words).to_have_text(["a", "white"])
    words.nth(0).hover()
    assert brightness(page, 0.05, 0.05) > 200 > 100 > brightness(page, 0.95, 0.95)
    words.nth(0).press("ArrowRight")
    expect(words.nth(1)).to_be_focused()
    assert brightness(page, 0.95, 0.05) > 200 > 100 > brightness(page, 0.05, 0.05)
    page.locator("#tab-captions").focus()
    page.mouse.move(0, 0)
    assert brightness(page, 0.05, 0.05) == brightness(page, 0.95, 0.95) == 255


def test_a_photo_is_captioned_where_it_is_dropped(open_page, white_photo):
    page = open_page()
    handle = page.evaluate_handle(
        """async (bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
          return transfer;
        }""",
        list(white_photo.read_bytes()),
    )
    page.dispatch_event(".drop >> nth=0", "drop", {"dataTransfer": handle})
    expect(page.locator("#captions-result li:first-child .word")).to_have_text(["a", "white"])
    expect(page.locator(".frame img")).to_have_attribute("alt", "dropped.png")


def test_a_sample_photo_is_one_click_away_and_names_its_licence(open_page):
    page = open_page()
    page.locator(".samples.photos button").first.click()
    expect(page.locator("#captions-result li .word").first).to_have_text("a")
    expect(page.locator("figcaption")).to_contain_text("CC BY 2.0")


def test_a_file_that_is_too_large_is_not_sent_and_what_is_no_photo_is_told(open_page, tmp_path):
    large, text = tmp_path / "large.png", tmp_path / "text.png"
    large.write_bytes(bytes(600_000))
    text.write_text("no photo")
    page = open_page()
    page.set_input_files("#photo", large)
    expect(page.locator("#captions-result .problem")).to_have_text("large.png has 1 MiB; up to 0.5 MiB can be sent.")
    page.set_input_files("#photo", text)
    expect(page.locator("#captions-result .problem")).to_contain_text("photo")


def test_a_sentence_is_translated_and_words_mark_each_other(open_page):
    page = open_page(part="#translations")
    page.get_by_label("Sentence").fill("two dogs run")
    page.get_by_label("From").select_option("en")
    expect(page.locator("#target option[value=en]")).to_be_disabled()
    page.get_by_role("button", name="Translate").press("Enter")
    targets, sources = page.locator(".target .word"), page.locator(".source .word")
    expect(targets).to_have_text(["RUN", "DOGS", "TWO"])
    targets.nth(0).hover()
    weights = sources.evaluate_all("words => words.map((word) => word.style.getPropertyValue('--weight'))")
    assert weights == ["0", "0", "1"]
    expect(page.locator(".says")).to_have_text("“RUN” looked at “run” 100 %")
    sources.nth(0).focus()
    weights = targets.evaluate_all("words => words.map((word) => word.style.getPropertyValue('--weight'))")
    assert weights == ["0", "0", "1"]
    expect(page.locator(".says")).to_have_text("“two” was looked at by “TWO” 100 %")


def test_sample_sentences_come_with_their_language(open_page):
    page = open_page(part="#translations")
    german = next(each for each in samples.sentences() if each.language == "de")
    page.get_by_role("button", name=german.text).click()
    expect(page.get_by_label("From", exact=True)).to_have_value("de")
    expect(page.get_by_label("To", exact=True)).to_have_value("en")
    expect(page.locator(".target .word")).to_have_count(len(german.text.split()))


def test_a_video_gets_its_timeline_from_which_it_is_played(open_page, tmp_path):
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip, frame_rate=10, size=(32, 24)) as video:
        for colour in [(220, 20, 20)] * 10 + [(20, 20, 220)] * 10:
            video.write(np.full((24, 32, 3), colour, np.uint8))
    page = open_page(part="#videos")
    page.set_input_files("#video", clip)
    rows = page.locator(".segments tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("red")
    expect(rows.nth(1)).to_contain_text("blue")
    picture = page.locator(".wide img")
    expect(picture).to_have_attribute("alt", "Timeline of clip.mp4: segments, scores of the labels, key frames")
    assert picture.evaluate("(image) => image.naturalWidth") == 1600
    assert page.locator(".downloads a").evaluate_all("links => links.map((link) => link.download)") == [
        "timeline.vtt",
        "timeline.csv",
    ]


def test_the_sample_video_is_played_beside_its_timeline(open_page):
    page = open_page(part="#videos")
    page.locator("#videos .samples button").first.click()
    expect(page.locator("#videos-result h2")).not_to_be_empty()
    expect(page.locator("#player")).to_have_js_property("videoWidth", 320)


def test_gestures_before_the_camera_are_named_once_each(open_page):
    page = open_page(part="#gestures")
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#events li").nth(1)).to_contain_text("wave (")
    dark = page.locator("#seen-label")
    expect(dark).to_have_text("none")
    expect(dark).to_have_text("wave")
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.locator("#stage-note")).to_have_text("The camera is off.")
    assert page.evaluate("document.getElementById('camera').srcObject") is None


def test_the_sample_of_gestures_is_played(open_page):
    page = open_page(part="#gestures")
    page.locator("[data-sample]").first.click()
    expect(page.locator("#events li").first).to_contain_text("wave (")


def test_tabs_are_walked_along_with_the_keyboard_and_have_addresses(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#tab-captions")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-translations")).to_be_focused()
    expect(page.get_by_label("Sentence")).to_be_visible()
    expect(page.locator("#photo")).to_be_hidden()
    assert page.url.endswith("#translations")
    page.keyboard.press("End")
    expect(page.locator("#tab-gestures")).to_have_attribute("aria-selected", "true")


def test_with_a_token_the_page_is_behind_a_form(browser, make_application):
    with serving(make_application(token="secret")) as address, browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.get_by_label("Token of this server").fill("guess")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("That is not it")
        page.get_by_label("Token of this server").fill("secret")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#tab-captions")).to_be_visible()
        page.wait_for_load_state()  # until then a tab does nothing
        assert page.url == address
        page.locator("#tab-translations").click()
        page.get_by_label("Sentence").fill("two dogs")
        page.get_by_role("button", name="Translate").click()
        expect(page.locator(".target .word")).to_have_text(["DOGS", "TWO"])
        assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wider_than_the_screen_and_everything_has_a_name(open_page, viewport):
    page = open_page(viewport)
    page.locator(".samples.photos button").first.click()
    expect(page.locator("#captions-result li .word").first).to_be_visible()
    for tab in ("captions", "translations", "videos", "gestures"):
        page.locator(f"#tab-{tab}").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        nameless = page.locator(f"#{tab}").evaluate(
            """(panel) => [...panel.querySelectorAll("button, input:not([type=hidden]), select, textarea")]
              .filter((each) => !(each.labels?.length || each.textContent.trim() || each.ariaLabel
                || each.querySelector("img[alt]")))
              .map((each) => each.outerHTML)"""
        )
        assert nameless == []
