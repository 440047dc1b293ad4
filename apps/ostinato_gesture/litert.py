"""The `step` signature as a LiteRT file, for phones and small boards: built-in operations and float32 only.

from ai_edge_litert.interpreter import Interpreter  # pip install ai-edge-litert; nothing else is needed there

step = Interpreter("gesture_step.tflite").get_signature_runner()
details = step.get_input_details()
state = {name: numpy.zeros(each["shape"], "float32") for name, each in details.items() if name.startswith("state_")}
for landmarks in frames:  # float32 [1, 2, 21, 3]
    outputs = step(landmarks=landmarks, **state)
    state = {name: outputs[name] for name in state}
    print(outputs["frame_scores"])  # [1, L], in the order of `labels` in interface.json
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from ostinato.errors import ModelError
from ostinato_gesture.graph import GestureGraph
from ostinato_gesture.native_messages import ANYTHING, without_chatter

STEP_FILE = "gesture_step.tflite"
TOLERANCE = 1e-4


def convert_step(graph: GestureGraph) -> bytes:
    """Converts one step of one stream.

    Inputs and outputs have the names that they have in the SavedModel, with a batch of 1; `labels`, which is text, is
    left out.

    Raises:
      ModelError: it needs an operation that is not built into LiteRT.
    """
    specs = {
        graph.kind: tf.TensorSpec([1, *graph.frame_shape], tf.float32, name=graph.kind),
        **{name: tf.TensorSpec([1, *spec.shape[1:]], spec.dtype, name=name) for name, spec in graph.state.items()},
    }
    # Constants, as variables would stay variables in the file, which nobody there initialises.
    weights = [(variable, variable.numpy()) for variable in graph.model.variables]

    def step(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        with keras.StatelessScope([(variable, tf.constant(value)) for variable, value in weights]):
            outputs = graph.step(**dict(zip(specs, tensors, strict=True)))
        return {name: tensor for name, tensor in outputs.items() if tensor.dtype != tf.string}

    function = tf.function(step, input_signature=list(specs.values()), autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], graph.model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        with without_chatter(ANYTHING):
            return converter.convert()
    except ConverterError as error:
        lines = str(error).strip().splitlines()  # hundreds of them: the whole graph
        reason = next((line for line in lines if line.startswith(("Custom ops", "Flex ops"))), lines[0])
        raise ModelError(f"The step cannot be converted for LiteRT ({reason.strip()}).") from error


def check_step(content: bytes, graph: GestureGraph, frames: np.ndarray) -> float:
    """Reads a stream by both, and compares everything at every frame, the state too.

    Args:
      content: as `convert_step` returned it.
      graph: what it was made of.
      frames: float32 [F, ...], of one stream.

    Returns:
      the largest difference, relative to 1 + the expected value.

    Raises:
      ModelError: it is above `TOLERANCE`.
    """
    with warnings.catch_warnings(), without_chatter():
        # It points to ai-edge-litert, which runs the same file; who exports has TensorFlow anyway.
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated", category=UserWarning)
        return _compare(tf.lite.Interpreter(model_content=content).get_signature_runner(), graph, frames)


def _compare(runner: Callable[..., Mapping[str, np.ndarray]], graph: GestureGraph, frames: np.ndarray) -> float:
    expected_state = {name: tf.zeros([1, *spec.shape[1:]], spec.dtype) for name, spec in graph.state.items()}
    state: Mapping[str, np.ndarray] = {name: tensor.numpy() for name, tensor in expected_state.items()}
    largest = 0.0
    for number, frame in enumerate(np.asarray(frames, np.float32)):
        expected = graph.step(**{graph.kind: tf.constant(frame[np.newaxis])}, **expected_state)
        outputs = runner(**{graph.kind: frame[np.newaxis]}, **state)
        for name, values in outputs.items():
            difference = np.abs(values - expected[name].numpy()) / (1 + np.abs(expected[name].numpy()))
            largest = max(largest, float(difference.max(initial=0.0)))
            if not np.isfinite(values).all() or largest > TOLERANCE:
                raise ModelError(f"LiteRT and TensorFlow differ by {largest:g} in {name} of frame {number}.")
        expected_state = {name: expected[name] for name in expected_state}
        state = {name: outputs[name] for name in expected_state}
    return largest
