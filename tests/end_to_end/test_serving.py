"""The same photo, sentence, clip and sequence of landmarks give the same answer, whoever computes it.

The command line, a server on this machine by REST and by gRPC, and plain TensorFlow, which knows nothing of Ostinato.
"""

import contextlib
import dataclasses
import functools
import importlib
import io
import json
import shutil
import socket
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ostinato.commands import run_application
from ostinato.export import Sample, archive, shipped_models, stream_samples
from ostinato.frames.video_writer import VideoWriter
from ostinato.serving import ModelServer
from ostinato.serving.grpc_server import serve_grpc
from ostinato.serving.http_server import http_server
from ostinato.serving.rest import rest_application
from ostinato_gesture.config import EventConfig, TrainConfig
from ostinato_gesture.graph import WHOLE, GestureGraph
from ostinato_gesture.model import make_gesture_classifier
from ostinato_gesture.model_facts import ModelFacts

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "samples" / "photos" / "000000099053.jpg"
SENTENCE = "Two dogs are running through the snow."
TOKEN = "open sesame"
SHIPPED = ("caption", "translate", "video_fights")
NUM_NUMBERS = 2 * 21 * 3  # of the landmarks in a frame


@pytest.fixture(scope="module")
def landmarks(tmp_path_factory):
    """Hands that move at random, as an archive of one recording."""
    frames = np.cumsum(np.random.default_rng(3).normal(0, 0.1, (11, NUM_NUMBERS)), axis=0).astype(np.float32)
    path = tmp_path_factory.mktemp("landmarks") / "hands.npz"
    np.savez(path, features=frames, lengths=[len(frames)], names=["wave"])
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "square.mp4"
    with VideoWriter(path, frame_rate=8, size=(48, 32)) as video:
        for number in range(7):
            image = np.full((32, 48, 3), 90, np.uint8)
            image[9:20, 5 * number : 5 * number + 11] = (250, 40, 40)
            video.write(image)
    return path


def export_gestures(output):
    """A small network with random weights, whose scores differ clearly."""
    model = make_gesture_classifier(TrainConfig(units=5, precision="float32"), 3, "features", NUM_NUMBERS)
    for head in (model.frame_head, model.clip_head):
        head.kernel.assign(9 * head.kernel)
    labels = ("none", "fist", "wave")
    graph = GestureGraph(model, labels, "features", frame_shape=(NUM_NUMBERS,))
    endpoints = graph.endpoints()
    whole = Sample(WHOLE, {"features": np.random.default_rng(5).normal(size=(2, 3, NUM_NUMBERS)).astype("float32")})
    samples = [whole, *(stream_samples(each, whole)[0] for each in endpoints[1:])]
    facts = ModelFacts(labels, "none", "features", (NUM_NUMBERS,), frame_rate=12.5, num_hands=2)
    settings = dataclasses.asdict(EventConfig())
    metadata = {"application": "ostinato_gesture", **facts.to_metadata(), "decoding": settings}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "prove_in_fresh_process", lambda folder, tolerance: {})
        archive.export_model(output, model, endpoints, samples, metadata=metadata, warmup=[], half_precision=False)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of all models, without their warm-up: each of them is asked but once."""
    folder = tmp_path_factory.mktemp("models")
    shipped, beside = shipped_models(), shutil.ignore_patterns("tf_serving_warmup_requests", "proof_samples")
    for name in SHIPPED:
        shutil.copytree(shipped[name], folder / name / shipped[name].name, ignore=beside)
    export_gestures(folder / "gesture")
    return folder


@pytest.fixture(scope="module", autouse=True)
def loaded_once():
    """Loading takes seconds, and what is loaded is the same for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "load", functools.cache(tf.saved_model.load))
        yield


@pytest.fixture(scope="module")
def addresses(models):
    """Where the models are served, by REST and by gRPC; only to those who know a word."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(ModelServer({name: models / name for name in (*SHIPPED, "gesture")}))
        grpc = serve_grpc(server, "127.0.0.1", 0, TOKEN)
        stack.callback(grpc.stop, 5.0)
        listener = stack.enter_context(contextlib.closing(socket.create_server(("127.0.0.1", 0))))
        http = http_server(rest_application(server, token=TOKEN), "127.0.0.1", 0, 5.0)
        thread = threading.Thread(target=http.run, kwargs={"sockets": [listener]})
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, http, "should_exit", True)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", f"grpc://127.0.0.1:{grpc.port}"


def run(application, *words):
    """Runs `predict` in this process; returns its exit code, output and messages."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        app = importlib.import_module(f"{application}.cli").app
        code = run_application(app, ["predict", *map(str, words)])
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def answer(models, addresses, monkeypatch):
    """The one answer of the command line, whoever computes."""

    def call(application, model, *words):
        monkeypatch.setenv("OSTINATO_TOKEN", TOKEN)
        asked = (*words, "--model", models / model, "--format", "json")
        code, here, err = run(application, *asked)
        assert (code, err) == (0, "")
        for address in addresses:
            assert run(application, *asked, "--server", address) == (0, here, "")
        return json.loads(here)

    return call


def plain_tensorflow(models, model, **inputs):
    [version] = (models / model).iterdir()
    loaded = tf.saved_model.load(str(version))
    outputs = loaded.signatures["serving_default"](**{name: tf.constant(value) for name, value in inputs.items()})
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def test_a_photo_has_one_caption(answer, models):
    found = answer("ostinato_caption", "caption", PHOTO)["captions"][0]
    outputs = plain_tensorflow(models, "caption", image_bytes=[PHOTO.read_bytes()])
    assert found["text"] == outputs["captions"][0, 0].decode()
    assert found["score"] == pytest.approx(outputs["scores"][0, 0], abs=1e-3)


def test_a_sentence_has_one_translation(answer, models):
    found = answer("ostinato_translate", "translate", SENTENCE, "--to", "de")["translations"][0]
    outputs = plain_tensorflow(models, "translate", text=[SENTENCE], target_language=["de"])
    assert found["text"] == outputs["translations"][0, 0].decode()
    assert found["score"] == pytest.approx(outputs["scores"][0, 0], abs=1e-3)


def test_a_clip_has_one_label(answer, models, clip):
    from ostinato_video.reading import open_video

    found = answer("ostinato_video", "video_fights", clip)
    [version] = (models / "video_fights").iterdir()
    metadata = json.loads((version / "interface.json").read_text())["metadata"]
    with open_video(clip, metadata["frame_rate"]) as reader:
        frames = np.stack([frame.image for frame in reader])
    outputs = plain_tensorflow(models, "video_fights", frames=frames[None])
    assert list(found["scores"].values()) == pytest.approx(outputs["scores"][0].tolist(), abs=1e-3)


def test_a_sequence_of_landmarks_has_one_label(answer, models, landmarks):
    found = answer("ostinato_gesture", "gesture", landmarks)
    frames = np.load(landmarks)["features"]
    outputs = plain_tensorflow(models, "gesture", features=frames[None])
    assert found["confidence"] == pytest.approx(outputs["scores"][0].max(), abs=1e-3)
    assert found["confidence"] > 0.4  # the scores are not all alike


def test_whoever_does_not_know_the_word_is_told_what_to_do(models, addresses, monkeypatch):
    monkeypatch.delenv("OSTINATO_TOKEN", raising=False)
    for address in addresses:
        words = (SENTENCE, "--to", "de", "--model", models / "translate", "--server", address)
        code, out, err = run("ostinato_translate", *words)
        assert (code, out) == (2, "")
        assert err == (
            f"ostinato-translate: the server at {address} refuses the token or wants one; put the right one into "
            "OSTINATO_TOKEN\n"
        )


def test_a_version_that_is_not_served_is_not_mistaken_for_another(models, addresses, monkeypatch, tmp_path):
    monkeypatch.setenv("OSTINATO_TOKEN", TOKEN)
    [version] = (models / "translate").iterdir()
    later = str(int(version.name) + 1)
    shutil.copytree(version, tmp_path / "translate" / later, ignore=shutil.ignore_patterns("variables"))
    for address in addresses:
        words = (SENTENCE, "--to", "de", "--model", tmp_path / "translate", "--server", address)
        code, _, err = run("ostinato_translate", *words)
        assert code == 2
        assert f"does not serve version {later} of translate" in err
        assert f"it serves version {version.name}: use that model's folder" in err
        assert err.count("\n") == 1
