"""A hand: drawn so that MediaPipe takes it for one, and as landmarks that move."""

import dataclasses
import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from ostinato.config import write_config
from ostinato.export import Endpoint, Stream, unexported_model
from ostinato.frames.video_writer import VideoWriter
from ostinato.sequences.store import SequenceWriter
from ostinato.training import save_weights
from ostinato_gesture.config import EventConfig, PrepareConfig, TrainConfig
from ostinato_gesture.gesture_recognizer import GestureRecognizer
from ostinato_gesture.landmarks import Hands
from ostinato_gesture.model import make_gesture_classifier
from ostinato_gesture.model_facts import ModelFacts
from ostinato_gesture.run import Run

SKIN, BACKGROUND = (224, 172, 138), (70, 90, 110)
# From the wrist, in pixels; the palm of a left hand, fingers spread upwards: knuckle, two joints, tip.
FINGERS = {
    "thumb": [(-28, -25), (-45, -45), (-58, -62), (-68, -76)],
    "index": [(-22, -70), (-27, -100), (-29, -122), (-30, -140)],
    "middle": [(-5, -75), (-6, -110), (-6, -134), (-6, -154)],
    "ring": [(12, -72), (15, -104), (17, -126), (18, -144)],
    "little": [(28, -62), (34, -86), (38, -102), (41, -116)],
}
WIDTHS = {"thumb": 20, "index": 17, "middle": 17, "ring": 17, "little": 14}
PALM = [(-24, 0), (-36, -25), (-32, -72), (-5, -80), (20, -76), (37, -60), (34, -25), (22, 0)]
ARM = [(-20, 60), (20, 60), (22, 0), (-22, 0)]


def _draw_hand(image, wrist, *, scale=0.5, mirrored=False):
    def place(point):
        x, y = point
        return int(wrist[0] + scale * (-x if mirrored else x)), int(wrist[1] + scale * y)

    shade = tuple(int(0.75 * value) for value in SKIN)
    for outline in (ARM, PALM):
        cv2.fillPoly(image, [np.array([place(point) for point in outline])], SKIN)
    for colour, wider in ((shade, 2), (SKIN, 0)):
        for name, points in FINGERS.items():
            root = (0.8 * points[0][0], 0.8 * points[0][1])
            chain = points if wider else [root, *points]
            for start, end in itertools.pairwise(chain):
                thickness = int(scale * WIDTHS[name]) + wider
                cv2.line(image, place(start), place(end), colour, thickness, cv2.LINE_AA)


def _draw_scene(*wrists, width=320, height=240, mirrored=()):
    """Returns uint8 [H, W, 3] with a left hand at each of the wrists, a right one at those in `mirrored`."""
    image = np.full((height, width, 3), BACKGROUND, np.uint8)
    for wrist in wrists:
        _draw_hand(image, wrist)
    for wrist in mirrored:
        _draw_hand(image, wrist, mirrored=True)
    return cv2.GaussianBlur(image, (3, 3), 0)


@pytest.fixture(scope="session")
def draw_scene():
    return _draw_scene


@pytest.fixture
def hand():
    """Joints of a right hand, float32 [21, 3], its wrist at the origin and its palm about 1 long."""
    random = np.random.default_rng(5)
    joints = [(0.0, 0.0), *(point for points in FINGERS.values() for point in points)]
    flat = np.array(joints) / 75 * (-1, 1)
    depth = np.concatenate([[0], random.uniform(-0.3, 0.1, 20)])
    return np.concatenate([flat, depth[:, None]], axis=1).astype(np.float32)


@pytest.fixture
def waving(hand):
    """One hand after the other through 13 frames of a picture, float32 [13, 2, 21, 3] and bool [13, 2].

    The right hand waves and bends its fingers, and is lost in frames 6 and 7; the left one comes in frame 4, and rests.
    """
    random = np.random.default_rng(7)
    time = np.arange(13)[:, None, None]
    bent = hand * (1 + 0.2 * np.sin(time / 2 + np.arange(21)[:, None]))
    right = 0.1 * bent + np.array([0.6, 0.5, 0]) + 0.08 * np.sin(time) * np.array([1, 0.5, 0])
    left = 0.12 * hand * (-1, 1, 1) + np.array([1.1, 0.8, 0]) + random.normal(0, 0.002, (13, 21, 3))
    presence = np.ones((13, 2), bool)
    presence[:4, 0] = presence[6:8, 1] = False
    landmarks = np.stack([left, right], axis=1) * presence[:, :, None, None]
    return landmarks.astype(np.float32), presence


GESTURE_LABELS = ("none", "fist", "wave")


@pytest.fixture(scope="session")
def completed_run(tmp_path_factory):
    """A run on five sequences of landmarks whose network has random weights, and scores that differ clearly."""
    folder = tmp_path_factory.mktemp("runs") / "hands"
    folder.mkdir()
    run = Run(folder)
    with SequenceWriter(run.store) as writer:
        for number in range(5):
            random = np.random.default_rng(number)
            landmarks = np.cumsum(random.normal(0, 0.05, (9 + number, 2, 21, 3)), axis=0) + 0.5
            landmarks[: number + 1, 0] = 0  # the left hand comes later
            writer.append(landmarks.reshape(len(landmarks), -1))
            writer.end_sequence(f"clip_{number}.mp4", group=f"signer_{number}", split="train", label=number % 3)
    config = PrepareConfig(frame_rate=12.5)
    run.write_prepared(config, "fingerprint", config, labels=list(GESTURE_LABELS), kind="landmarks")
    settings = TrainConfig(units=7, projection_size=5, precision="mixed_bfloat16")
    write_config(run.config_path, settings)
    classifier = make_gesture_classifier(settings, len(GESTURE_LABELS), "landmarks")
    for head in (classifier.frame_head, classifier.clip_head):
        head.kernel.assign(5 * head.kernel)
    save_weights(run.model_path, classifier)
    return run


@pytest.fixture(scope="session")
def exported(completed_run, tmp_path_factory):
    """The version folder of that run's model, at temperature 1.7; proved in this process."""
    from ostinato.export import archive
    from ostinato.export.proof import prove
    from ostinato_gesture.exporting import export_run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            archive, "prove_in_fresh_process", lambda folder, tolerance: dataclasses.asdict(prove(folder, tolerance))
        )
        return export_run(
            completed_run,
            tmp_path_factory.mktemp("models") / "hands",
            events=EventConfig(rise=0.7, min_seconds=0.1),
            temperature=1.7,
            metadata={"data_terms": "none"},
            model_card="# Hands\n",
        )


@pytest.fixture(scope="session")
def recognizer(exported):
    """Reads landmarks, by random weights."""
    return GestureRecognizer.load(exported)


def _rule_graph(kind, frame_shape):
    """Endpoints that see a `left` or `right` gesture by where the first number of a frame is: below -1, above 1."""

    def steps(**inputs):
        first = tf.reduce_sum(tf.reshape(inputs[kind], (*tf.unstack(tf.shape(inputs[kind])[:2]), -1)), axis=-1)
        sides = tf.stack([tf.zeros_like(first), -first - 1, first - 1], axis=-1)  # -> [B, F, 3]
        frame_scores = tf.nn.softmax(10 * sides)
        number = inputs["state_frames"] + tf.cast(tf.shape(first)[1], tf.float32)
        total = inputs["state_total"] + tf.reduce_sum(frame_scores, axis=1)
        scores = total / number
        return {"scores": scores, "frame_scores": frame_scores, "state_frames": number, "state_total": total}

    def step(**inputs):
        outputs = steps(**{**inputs, kind: inputs[kind][:, None]})
        return {**outputs, "frame_scores": outputs["frame_scores"][:, 0]}

    state = [
        tf.TensorSpec([None, 1], tf.float32, name="state_frames"),
        tf.TensorSpec([None, 3], tf.float32, name="state_total"),
    ]
    each = {"frame_scores": "frame_scores"}
    several = Stream("serving_default", {kind: kind}, each, {"scores": "scores"}, several=True)
    one = Stream("serving_default", {kind: kind}, each, {"scores": "scores"})
    frame = tf.TensorSpec([None, *frame_shape], tf.float32, name=kind)
    frames = tf.TensorSpec([None, None, *frame_shape], tf.float32, name=kind)
    return [
        Endpoint("steps", steps, [frames, *state], stream=several),
        Endpoint("step", step, [frame, *state], stream=one),
    ]


@pytest.fixture(scope="session")
def rule_recognizer():
    """Makes a recognizer that goes by a rule: the sum of a frame's numbers says whether it is `left` or `right`."""

    def make(kind="features", frame_shape=(4,), none="none", frame_rate=10.0):
        facts = ModelFacts(
            labels=("none", "left", "right"),
            none=none,
            kind=kind,
            frame_shape=frame_shape,
            frame_rate=frame_rate,
            num_hands=2,
        )
        metadata = {**facts.to_metadata(), "decoding": dataclasses.asdict(EventConfig(min_seconds=0.2))}
        endpoints = _rule_graph(kind, frame_shape)
        return GestureRecognizer(unexported_model(Path("rule"), endpoints, None, metadata=metadata))

    return make


class _PaintedHands:
    """Stands in for MediaPipe: a white image has a right hand, a black one a left one, a grey one none."""

    restarts = 0

    def __init__(self, num_hands=2):
        self.num_hands = num_hands

    def detect(self, image, time):
        landmarks = np.zeros((2, 21, 3), np.float32)
        mean = image.mean()
        if mean > 200:
            landmarks[1, 0, 0] = 2.0
        elif mean < 50:
            landmarks[0, 0, 0] = -2.0
        presence = np.asarray(landmarks.any(axis=(1, 2)))
        return Hands(landmarks, np.zeros_like(landmarks), presence, np.zeros(2, np.float32))

    def restart(self):
        _PaintedHands.restarts += 1

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


@pytest.fixture
def painted_hands(monkeypatch):
    """Hands are where images are white or black; MediaPipe is tested where it lives."""
    monkeypatch.setattr("ostinato_gesture.gesture_stream.HandLandmarks", _PaintedHands)
    return _PaintedHands


@pytest.fixture(scope="session")
def painted_video(tmp_path_factory):
    """A video of 20 frames/s: 0.5 s grey, 2 s white, 2 s grey, 1 s black, 0.5 s grey."""
    path = tmp_path_factory.mktemp("videos") / "painted.mp4"
    with VideoWriter(path, frame_rate=20, size=(32, 24)) as video:
        for value in np.repeat([128, 255, 128, 0, 128], [10, 40, 40, 20, 10]):
            video.write(np.full((24, 32, 3), value, np.uint8))
    return path
