"""Four models that go by rules, in a server, with the page before them: only the networks are missing."""

import asyncio
import dataclasses
import json

import httpx
import numpy as np
import pytest
import tensorflow as tf

from ostinato.export.versions import find_model
from ostinato.images.graph import load_photos
from ostinato.serving.model_server import ModelServer
from ostinato.serving.rest import rest_application
from ostinato_caption import DecodingConfig as CaptionDecoding
from ostinato_gesture.config import EventConfig
from ostinato_gesture.landmarks import Hands
from ostinato_gesture.model_facts import ModelFacts
from ostinato_serve.config import PageConfig
from ostinato_translate.config import DecodingConfig as TranslationDecoding
from ostinato_video import TimelineConfig

FROM_THE_PAGE = {"HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
VIDEO_LABELS = ["background", "red", "blue"]


def spec(name, shape, dtype):
    return tf.TensorSpec(shape, dtype, name=name)


def settings_of(config):
    kinds = {int: tf.int32, float: tf.float32}
    return [spec(name, [], kinds[type(value)]) for name, value in dataclasses.asdict(config).items()]


def captions(image_bytes, num_captions, **settings):
    """Says whether a photo is white or black; its words look at the four quarters in turn."""
    is_white = tf.reduce_mean(load_photos(image_bytes, 8), axis=(1, 2, 3)) > 127
    colour = tf.where(is_white, "white", "black")
    words = tf.stack([tf.fill(tf.shape(colour), "\u2581a"), tf.strings.join(["\u2581", colour])], axis=1)  # -> [B, 2]
    text = tf.strings.join(["a ", colour])
    ones = tf.ones([1, num_captions])
    return {
        "captions": tf.tile(text[:, None], [1, num_captions]),
        "scores": -tf.cast(is_white, tf.float32)[:, None] * ones,
        "log_probs": tf.math.log(0.5 * tf.ones_like(is_white[:, None], tf.float32)) * ones,
        "tokens": tf.tile(words[:, None], [1, num_captions, 1]),
        "attention": tf.tile(tf.eye(2, 4)[None, None], [tf.size(colour), num_captions, 1, 1]),
    }


def translations(text, target_language, num_translations, **settings):
    """Shouts the words of a text in reverse order, each looking at its own."""
    words = tf.strings.split(text)
    pieces = tf.strings.join(["\u2581", words])
    source = tf.concat([pieces, tf.fill([tf.size(text), 1], "</s>")], axis=1)
    written = tf.reverse(tf.strings.upper(words.to_tensor()), axis=[1])
    num_words = tf.shape(written)[1]
    several = [1, num_translations, 1]
    return {
        "translations": tf.tile(tf.strings.reduce_join(written, 1, separator=" ")[:, None], several[:2]),
        "scores": tf.zeros([tf.size(text), num_translations]),
        "log_probs": tf.zeros([tf.size(text), num_translations]),
        "pieces": tf.tile(tf.strings.join(["\u2581", written])[:, None], several),
        "source_pieces": source.to_tensor(),
        "attention": tf.tile(
            tf.pad(tf.reverse(tf.eye(num_words), [0]), [[0, 0], [0, 1]])[None, None],
            [tf.size(text), num_translations, 1, 1],
        ),
    }


def video_steps(frames, state_total):
    """Red or blue, whichever there is more of."""
    red, _, blue = tf.unstack(tf.reduce_mean(tf.cast(frames, tf.float32) / 255, axis=(2, 3)), axis=-1)  # [B, F] each
    frame_scores = tf.nn.softmax(30 * tf.stack([0.1 * tf.ones_like(red), red - blue, blue - red], axis=-1))
    total = state_total + tf.reduce_sum(frame_scores, axis=1)
    return {
        "frame_scores": frame_scores,
        "scores": total / tf.reduce_sum(total, axis=1, keepdims=True),
        "state_total": total,
    }


def gesture_step(landmarks, state_frames):
    """A wave, while there is a hand."""
    seen = tf.cast(tf.reduce_max(landmarks, axis=(1, 2, 3)) > 0, tf.float32)
    scores = tf.stack([1 - 0.9 * seen - 0.05, 0.05 + 0.9 * seen], axis=-1)
    return {"frame_scores": scores, "scores": scores, "state_frames": state_frames + 1}


def stream(frames, several, **state):
    shapes = {name: {"dtype": "float32", "shape": list(shape)} for name, shape in state.items()}
    return {"frames": {frames: frames}, "several": several, "state": shapes}


def write(folder, signature, function, specs, metadata, stream=None, assets=None):
    """Writes one version of a model with one signature, and what it says of itself."""
    module = tf.Module()
    module.function = tf.function(lambda **inputs: function(**inputs), autograph=False)
    traced = module.function.get_concrete_function(**{each.name: each for each in specs})
    tf.saved_model.save(module, str(folder / "1"), signatures={signature: traced})
    inputs = {each.name: {"dtype": each.dtype.name, "shape": each.shape.as_list()} for each in specs}
    facts = {"inputs": inputs} | ({"stream": stream} if stream else {})
    interface = {"signatures": {signature: facts}, "metadata": metadata}
    (folder / "1" / "interface.json").write_text(json.dumps(interface))
    (folder / "1" / "assets.extra").mkdir(exist_ok=True)
    for name, content in (assets or {}).items():
        (folder / "1" / "assets.extra" / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Folders of the four models by name."""
    root = tmp_path_factory.mktemp("models")
    caption = CaptionDecoding(beam_width=2, min_length=1)
    photos = spec("image_bytes", [None], tf.string)
    translation = TranslationDecoding()
    texts = [spec(name, [None], tf.string) for name in ("text", "target_language", "prefix")]
    facts = ModelFacts(("none", "wave"), "none", "landmarks", (2, 21, 3), 10.0, 2)
    return {
        "caption": write(
            root / "caption",
            "beam_search",
            captions,
            [photos, *settings_of(caption)],
            {
                "application": "ostinato_caption",
                "decoding": dataclasses.asdict(caption),
                "attention_grid": [2, 2],
            },
        ),
        "translate": write(
            root / "translate",
            "beam_search",
            translations,
            [*texts, *settings_of(translation)],
            {
                "application": "ostinato_translate",
                "languages": ["de", "en", "fr"],
                "directions": [["en", "de"], ["de", "en"], ["en", "fr"]],
                "decoding": dataclasses.asdict(translation),
                "max_pieces": 100,
                "max_source_pieces": 200,
            },
            assets={"tokenizer.model": (find_model("translate") / "assets.extra" / "tokenizer.model").read_bytes()},
        ),
        "colours": write(
            root / "colours",
            "steps",
            video_steps,
            [spec("frames", [None, None, None, None, 3], tf.uint8), spec("state_total", [None, 3], tf.float32)],
            {
                "application": "ostinato_video",
                "labels": VIDEO_LABELS,
                "background": "background",
                "frame_rate": 10.0,
                "image_size": 32,
                "decoding": dataclasses.asdict(TimelineConfig(switch_cost=1.0, min_seconds=0.2)),
            },
            stream("frames", True, state_total=(3,)),
        ),
        "hands": write(
            root / "hands",
            "step",
            gesture_step,
            [spec("landmarks", [None, 2, 21, 3], tf.float32), spec("state_frames", [None, 1], tf.float32)],
            {
                "application": "ostinato_gesture",
                **facts.to_metadata(),
                "decoding": dataclasses.asdict(EventConfig(rise=0.7, fall=0.5, min_seconds=0.2)),
            },
            stream("landmarks", False, state_frames=(1,)),
        ),
    }


@pytest.fixture(scope="session")
def model_server(models):
    with ModelServer(models) as server:
        yield server


@pytest.fixture(scope="session")
def make_application(model_server):
    """Makes the whole ASGI application, with other limits, models or a token."""
    from ostinato_serve.page.routes import page_routes, signing_in

    def make(server=model_server, token="", **limits):
        routes = page_routes(server, PageConfig(**limits))
        application = rest_application(server, token=token, hosts={"127.0.0.1", "test"}, routes=routes)
        return signing_in(application, token) if token else application

    return make


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


class PaintedHands:
    """Stands in for MediaPipe, which is tested where it lives: in a bright image is a right hand."""

    def __init__(self, num_hands=2):
        self.num_hands = num_hands

    def detect(self, image, time):
        landmarks = np.zeros((2, 21, 3), np.float32)
        if image.mean() > 140:
            landmarks[1] = np.linspace(0.2, 0.8, 63).reshape(21, 3)
        presence = np.asarray(landmarks.any(axis=(1, 2)))
        return Hands(landmarks, np.zeros_like(landmarks), presence, np.zeros(2, np.float32))

    def restart(self):
        pass

    def close(self):
        pass


@pytest.fixture(scope="module")
def painted_hands():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato_gesture.gesture_stream.HandLandmarks", PaintedHands)
        yield
