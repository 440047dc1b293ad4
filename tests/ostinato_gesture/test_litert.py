import warnings

import numpy as np
import pytest
import tensorflow as tf

from ostinato.errors import ModelError
from ostinato_gesture import litert
from ostinato_gesture.config import TrainConfig
from ostinato_gesture.graph import GestureGraph
from ostinato_gesture.litert import STEP_FILE, check_step, convert_step
from ostinato_gesture.model import FEATURES, make_gesture_classifier


@pytest.fixture(scope="module")
def interpreter(recognizer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return tf.lite.Interpreter(str(recognizer.model.assets[STEP_FILE]))


@pytest.fixture(scope="module")
def glove():
    """A graph of other features than landmarks, without a state of features before."""
    classifier = make_gesture_classifier(
        TrainConfig(units=5, projection_size=3, differences=False), 4, FEATURES, feature_size=7
    )
    return GestureGraph(classifier, ["a", "b", "c", "d"], FEATURES, frame_shape=(7,), temperature=0.8)


def test_the_file_on_its_own_gives_the_scores_of_the_exported_model(recognizer, interpreter):
    recording = np.cumsum(np.random.default_rng(2).normal(0, 0.1, (23, 2, 21, 3)), axis=0).astype(np.float32)
    recording[7:9] = 0
    whole = recognizer.model.signatures["serving_default"](landmarks=tf.constant(recording[None]))
    step = interpreter.get_signature_runner()
    shapes = {name: each["shape"] for name, each in step.get_input_details().items()}
    state = {name: np.zeros(shape, np.float32) for name, shape in shapes.items() if name.startswith("state_")}
    for number, frame in enumerate(recording):
        outputs = step(landmarks=frame[None], **state)
        state = {name: outputs[name] for name in state}
        np.testing.assert_allclose(outputs["frame_scores"][0], whole["frame_scores"][0, number], atol=1e-5)
    np.testing.assert_allclose(outputs["scores"], whole["scores"], atol=1e-5)


def test_all_tensors_are_float32_and_state_goes_in_as_it_comes_out(interpreter):
    step = interpreter.get_signature_runner()
    inputs, outputs = step.get_input_details(), step.get_output_details()
    assert {each["dtype"] for each in (*inputs.values(), *outputs.values())} == {np.float32}
    states = {name: tuple(each["shape"]) for name, each in inputs.items() if name.startswith("state_")}
    assert states == {name: tuple(each["shape"]) for name, each in outputs.items() if name.startswith("state_")}
    assert set(inputs) == {"landmarks", *states}
    assert set(outputs) == {"scores", "frame_scores", *states}


def test_a_network_of_other_features_is_converted_too(glove):
    content = convert_step(glove)
    frames = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
    assert check_step(content, glove, frames) < 1e-5


def test_a_file_of_other_weights_is_found_out(glove, monkeypatch):
    content = convert_step(glove)
    frames = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
    monkeypatch.setattr(glove, "temperature", 3.0)
    with pytest.raises(ModelError, match="LiteRT and TensorFlow differ by"):
        check_step(content, glove, frames)


def test_an_operation_that_litert_has_not_is_told(glove, monkeypatch):
    outputs = GestureGraph._outputs
    monkeypatch.setattr(
        litert.GestureGraph,
        "_outputs",
        lambda self, *logits: {**outputs(self, *logits), "scores": tf.math.igamma(logits[0], logits[0])},
    )
    with pytest.raises(ModelError, match=r"cannot be converted for LiteRT \(Custom ops: Igamma\)"):
        convert_step(glove)
