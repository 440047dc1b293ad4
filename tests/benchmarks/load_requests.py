"""What the clients of `serve_load.py` ask, and what the models answer to it without any server.

Each client asks something else: other parts of the sample photos, other sentences and languages, other seconds of the
sample video and of the sample gestures. Pixels travel as JPEG, as a client that has to send them would do it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ostinato.export.versions import shipped_models

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
VIDEO_FRAMES = 8  # a second of `video_activities`
GESTURE_FRAMES = 30  # two seconds

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Request:
    """What is asked of a signature, and what is to come back."""

    signature: str
    inputs: Arrays
    answer: Arrays


def requests_of(model: str, count: int) -> list[Request]:
    """So many different requests to a shipped model, each with the answer of plain TensorFlow to it alone."""
    import tensorflow as tf

    signature, make_inputs = _KINDS[model]
    loaded = tf.saved_model.load(str(shipped_models()[model]))
    function = loaded.signatures[signature]
    requests = []
    for inputs in make_inputs(count):
        outputs = function(**{name: tf.constant(array) for name, array in inputs.items()})
        requests.append(Request(signature, inputs, {name: tensor.numpy() for name, tensor in outputs.items()}))
    return requests


def is_right(answer: Arrays, request: Request) -> bool:
    """Whether an answer is that to the request, but for the last digits of its numbers."""
    return answer.keys() == request.answer.keys() and all(
        array.shape == answer[name].shape
        and (
            np.array_equal(array, answer[name])
            if array.dtype == object
            else np.allclose(array, answer[name], rtol=1e-3, atol=1e-3)
        )
        for name, array in request.answer.items()
    )


def _photos(count: int) -> list[Arrays]:
    photos = sorted((SAMPLES / "photos").glob("*.jpg"))
    images = [cv2.imread(str(path)) for path in photos]
    return [{"image_bytes": _strings(_jpeg(_part(images[i % len(images)], i // len(images))))} for i in range(count)]


def _sentences(count: int) -> list[Arrays]:
    with (SAMPLES / "photos" / "captions.csv").open(encoding="utf-8", newline="") as file:
        sentences = sorted({row["caption"] for row in csv.DictReader(file)})
    pairs = [(sentence, language) for language in ("de", "fr", "cs") for sentence in sentences]
    return [
        {"text": _strings(sentence.encode()), "target_language": _strings(language.encode())}
        for sentence, language in pairs[:: max(1, len(pairs) // count)][:count]
    ]


def _clips(count: int) -> list[Arrays]:
    capture = cv2.VideoCapture(str(SAMPLES / "videos" / "room.mp4"))
    frames = []
    while (read := capture.read())[0]:
        frames.append(_jpeg(read[1]))
    frames = frames[::2]  # 8 a second
    starts = np.linspace(0, len(frames) - VIDEO_FRAMES, count).astype(int)
    return [{"jpeg_frames": _strings(*frames[start : start + VIDEO_FRAMES])[None]} for start in starts]


def _landmarks(count: int) -> list[Arrays]:
    with np.load(SAMPLES / "gestures" / "counting.npz") as archive:
        landmarks = archive["landmarks"].astype(np.float32)
    starts = np.linspace(0, len(landmarks) - GESTURE_FRAMES, count).astype(int)
    return [{"landmarks": landmarks[None, start : start + GESTURE_FRAMES]} for start in starts]


# What is asked of each model: a signature, and how its inputs are made.
_KINDS: dict[str, tuple[str, Callable[[int], list[Arrays]]]] = {
    "caption": ("serving_default", _photos),
    "translate": ("serving_default", _sentences),
    "video_activities": ("jpeg_frames", _clips),
    "video_fights": ("jpeg_frames", _clips),
    "gesture": ("serving_default", _landmarks),
}
MODELS = tuple(_KINDS)


def _part(image: np.ndarray, number: int) -> np.ndarray:
    """The image, its mirror image, or nine tenths of either from one of the corners."""
    image = image[:, ::-1] if number % 2 else image
    corner, (height, width) = number // 2, image.shape[:2]
    top, left = (height // 10) * (corner // 2 % 2), (width // 10) * (corner % 2)
    return image if corner == 0 else image[top : top + 9 * height // 10, left : left + 9 * width // 10]


def _jpeg(image: np.ndarray) -> bytes:
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(image))
    assert done
    return data.tobytes()


def _strings(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array
