"""Every kind of model that an application may have goes through the whole export, and a fresh process proves it."""

import dataclasses
import functools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from ostinato.export import fresh_process
from ostinato.export.archive import export_model
from ostinato.export.endpoints import Endpoint, Sample
from ostinato.export.loading import load_model
from ostinato.export.sample_streams import stream_samples
from ostinato.export.stream import Stream
from ostinato.layers import SequenceClassifier

Kind = tuple[keras.Model, list[Endpoint], list[Sample]]


def classifier_of_sequences() -> Kind:
    """Many to one, with a second signature that carries its state from call to call."""
    model = SequenceClassifier(3, units=7, num_layers=1, projection_size=5, dropout=0.1)
    model.build((None, None, 5))

    def whole(frames: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = model(frames)
        return {"scores": scores.clip_logits[:, -1], "frame_scores": scores.frame_logits}

    def step(frame: tf.Tensor, **state: tf.Tensor) -> dict[str, tf.Tensor]:
        scores, after = model.step(frame, {name: state[f"state_{name}"] for name in model.state_spec()})
        named = {f"state_{name}": value for name, value in after.items()}
        return {"scores": scores.clip_logits, "frame_scores": scores.frame_logits, **named}

    state = {
        f"state_{name}": tf.TensorSpec((None, *shape), dtype) for name, (shape, dtype) in model.state_spec().items()
    }
    stream = Stream("serving_default", {"frame": "frames"}, {"frame_scores": "frame_scores"}, {"scores": "scores"})
    endpoints = [
        Endpoint("serving_default", whole, {"frames": tf.TensorSpec((None, None, 5), tf.float32)}),
        Endpoint("step", step, {"frame": tf.TensorSpec((None, 5), tf.float32), **state}, stream=stream),
    ]
    numbers = np.random.default_rng(1)
    samples = [Sample("serving_default", {"frames": numbers.normal(size=(rows, 11, 5))}) for rows in (1, 3)]
    samples += [Sample("serving_default", {"frames": numbers.normal(size=(2, 4, 5))})]
    return model, endpoints, samples + stream_samples(endpoints[1], samples[1])


def generator_of_text() -> Kind:
    """One to many: text in, a loop with a decoder inside, text out whose length depends on the other items."""
    cell, embed, head = keras.layers.LSTMCell(7), keras.layers.Embedding(11, 5), keras.layers.Dense(11)
    model = keras.Sequential([keras.Input((None,), dtype="int32"), embed, keras.layers.RNN(cell), head])
    letters = tf.constant(["", *"abcdefghij"])

    def generate(text: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = tf.shape(text)[0]
        length = tf.strings.length(text)
        hidden = tf.one_hot(length, 7) * 2

        def body(step, token, hidden, cell_state, tokens, scores):
            output, (hidden, cell_state) = cell(embed(token), [hidden, cell_state])
            log_probs = tf.nn.log_softmax(head(output) * 9)
            best = tf.argmax(log_probs[:, 1:], axis=1, output_type=tf.int32) + 1
            best = tf.where(step < length, best, 0)
            chosen = tf.gather(log_probs, best, batch_dims=1)
            scores += tf.where(step < length, chosen, 0.0)
            return step + 1, best, hidden, cell_state, tf.concat([tokens, best[:, None]], axis=1), scores

        start = [
            tf.constant(0),
            tf.ones([batch], tf.int32),
            hidden,
            hidden,
            tf.zeros([batch, 0], tf.int32),
            tf.zeros([batch]),
        ]
        shapes = [start[0].shape, tf.TensorShape([None]), hidden.shape, hidden.shape]
        shapes += [tf.TensorShape([None, None]), tf.TensorShape([None])]
        longest = tf.reduce_max(length)
        *_, tokens, scores = tf.while_loop(lambda step, *_: step < longest, body, start, shapes)
        return {"text": tf.strings.reduce_join(tf.gather(letters, tokens), axis=1), "tokens": tokens, "scores": scores}

    def generate_sharply(text: tf.Tensor, sharpness: tf.Tensor, suffix: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"text": generate(text)["text"] + suffix, "scores": generate(text)["scores"] * sharpness}

    words = ["a", "five", "élan", "abcdef", "no"]
    samples = [Sample("serving_default", {"text": words})]
    samples += [
        Sample("sharply", {"text": words[:3], "sharpness": 0.5, "suffix": b"!"}),
        Sample("sharply", {"text": words[3:], "sharpness": 3, "suffix": b"?"}),
    ]
    signature = {"text": tf.TensorSpec((None,), tf.string)}
    settings = {"sharpness": tf.TensorSpec((), tf.float32), "suffix": tf.TensorSpec((), tf.string)}
    endpoints = [
        Endpoint("serving_default", generate, signature),
        Endpoint("sharply", generate_sharply, {**signature, **settings}),
    ]
    return model, endpoints, samples


def reader_of_photos() -> Kind:
    """Bytes in, decoded in the graph, a normalised network behind them."""
    layers = [keras.layers.Conv2D(5, 3, strides=2), keras.layers.BatchNormalization(), keras.layers.ReLU(6)]
    model = keras.Sequential(
        [keras.Input((9, 9, 3)), *layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    )

    def decode(photo: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_image(photo, channels=3, expand_animations=False)
        return tf.ensure_shape(tf.image.resize(pixels, (9, 9)), (9, 9, 3))

    def classify(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": model(tf.map_fn(decode, image_bytes, fn_output_signature=tf.float32), training=False)}

    photos = [
        tf.io.encode_png(np.random.default_rng(size).integers(0, 256, (size, size + 2, 3), np.uint8)).numpy()
        for size in (7, 13, 21)
    ]
    signature = [tf.TensorSpec((None,), tf.string, name="image_bytes")]
    endpoint = Endpoint("serving_default", classify, signature, binary_inputs=("image_bytes",))
    return model, [endpoint], [Sample("serving_default", {"image_bytes": photos})]


KINDS = (classifier_of_sequences, generator_of_text, reader_of_photos)


@dataclasses.dataclass(frozen=True)
class Exported:
    """A version, and the endpoints and samples that it was made from."""

    folder: Path
    endpoints: list[Endpoint]
    samples: list[Sample]


@pytest.fixture(scope="module")
def exported(proofs_in_this_process: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Exported]:
    """Exports a kind of model, once for all tests."""

    @functools.cache
    def export(kind: Callable[[], Kind], half_precision: bool) -> Exported:
        keras.utils.set_random_seed(9)
        model, endpoints, samples = kind()
        output = tmp_path_factory.mktemp(kind.__name__) / "toy"
        return Exported(
            export_model(output, model, endpoints, samples, half_precision=half_precision), endpoints, samples
        )

    return export


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_exports_and_answers_as_it_does_in_python(kind: Callable[[], Kind], exported: Callable[..., Exported]):
    version = exported(kind, half_precision=False)
    loaded = load_model(version.folder)
    functions = {endpoint.name: endpoint for endpoint in version.endpoints}
    for sample in version.samples:
        inputs = {
            spec.name: tf.convert_to_tensor(sample.inputs[spec.name], spec.dtype)
            for spec in functions[sample.endpoint].specs
        }
        answer = loaded.signatures[sample.endpoint](**inputs)
        for name, expected in functions[sample.endpoint](inputs).items():
            if expected.dtype.is_floating:
                np.testing.assert_allclose(answer[name], expected, atol=1e-5)
            else:
                np.testing.assert_array_equal(answer[name], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_exports_in_half_precision(kind: Callable[[], Kind], exported: Callable[..., Exported]):
    version = exported(kind, half_precision=True)
    report = json.loads((version.folder / "proof.json").read_text())
    assert set(report["signatures"]) == {endpoint.name for endpoint in version.endpoints}
    assert all(signature["num_items_in_batches"] >= 3 for signature in report["signatures"].values())
    loaded = tf.saved_model.load(str(version.folder))
    assert tf.float16 in {variable.dtype for variable in loaded.signatures["serving_default"].variables}


def test_a_fresh_process_proves_them_all(exported: Callable[..., Exported]):
    """One process for all: it knows them by their folders alone."""
    folders = [exported(kind, half_precision=half).folder for half in (False, True) for kind in KINDS]
    program = "import sys; from ostinato.export.proof import main; sys.exit(max(main([each]) for each in sys.argv[1:]))"
    ended = subprocess.run(
        [sys.executable, "-P", "-c", program, *map(str, folders)],
        env=fresh_process._environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    proved = [set(json.loads(line)["signatures"]) for line in ended.stdout.splitlines()]
    assert proved == [set(json.loads((folder / "proof.json").read_text())["signatures"]) for folder in folders]
