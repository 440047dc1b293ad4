import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from ostinato.export import runtime

SOURCE_ROOT = Path(__file__).parents[2] / "shared"


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))}
    return {**kept, "PYTHONPATH": str(SOURCE_ROOT)}


@pytest.fixture
def function():
    @tf.function(input_signature=[tf.TensorSpec([None]), tf.TensorSpec([], tf.string)], autograph=False)
    def repeated(x, text):
        return tf.while_loop(lambda total: tf.reduce_sum(total) < 10, lambda total: [2 * total], [x]), text + text

    concrete = repeated.get_concrete_function()
    return concrete.function_def


def test_a_stored_function_answers_as_often_as_it_is_added(function):
    for _ in range(2):
        runtime.add_functions([function])
        inputs = [runtime.as_tensor(np.float32([1, 2])), runtime.as_tensor("ab")]
        numbers, text = runtime.call_function(function.signature.name, inputs, 2)
        assert (numbers.numpy().tolist(), text.numpy()) == ([4, 8], b"abab")


def test_a_function_that_refuses_its_inputs_raises(function):
    runtime.add_functions([function])
    with pytest.raises(runtime.InvalidArgumentError):
        runtime.call_function(function.signature.name, [runtime.as_tensor("ab"), runtime.as_tensor("ab")], 2)


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (np.zeros((2, 0), np.float16), "float16", (2, 0)),
        (np.array([[True]]), "bool", (1, 1)),
        (np.array([b"\xff", "\u00e9".encode()], object), "string", (2,)),
        (np.int32(7), "int32", ()),
    ],
)
def test_tensors_are_what_tensorflow_makes_of_arrays(value, dtype, shape):
    tensor = runtime.as_tensor(value)
    assert (tensor.dtype.name, tuple(tensor.shape)) == (dtype, shape)
    assert runtime.dtype_of(tensor.dtype.as_datatype_enum) == tensor.dtype
    np.testing.assert_array_equal(tensor.numpy(), value)
    assert runtime.as_tensor(tensor) is tensor


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int32])
def test_a_weight_holds_its_value_and_what_is_assigned_to_it(dtype):
    value = np.arange(6).astype(dtype).reshape(2, 3)
    weight = runtime.Weight.holding("a/kernel", runtime.as_tensor(value))
    assert (weight.name, weight.shape, weight.dtype) == ("a/kernel", (2, 3), tf.as_dtype(dtype))
    gc.collect()
    np.testing.assert_array_equal(weight.numpy(), value)
    tf.raw_ops.AssignVariableOp(resource=weight.handle, value=tf.constant(value + 1))
    np.testing.assert_array_equal(weight.numpy(), value + 1)


def test_tensors_of_a_checkpoint_are_read_in_the_order_that_they_are_named_in(tmp_path):
    prefix = tmp_path / "weights"
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=["a", "b"],
        shape_and_slices=["", ""],
        tensors=[tf.constant([1.0, 2.0]), tf.constant("text")],
    )
    text, numbers = runtime.read_checkpoint(prefix, {"b": types_pb2.DT_STRING, "a": types_pb2.DT_FLOAT})
    assert (text.numpy(), numbers.numpy().tolist()) == (b"text", [1, 2])
    with pytest.raises(runtime.NotFoundError, match="c not found"):
        runtime.read_checkpoint(prefix, {"c": types_pb2.DT_FLOAT})


def test_an_exported_model_runs_without_the_rest_of_tensorflow_which_is_there_when_it_is_wanted(export, five_numbers):
    script = (
        "import numpy as np\n"
        "from ostinato.commands import quiet_tensorflow\n"
        "tf = quiet_tensorflow(runs_exported=True)\n"
        "from ostinato.export import load_model\n"
        f"path, inputs = {str(export())!r}, {{'numbers': np.arange(10, dtype=np.float32).reshape(2, 5)}}\n"
        "stored = load_model(path).call('serving_default', inputs)['scores']\n"
        "print('function' in vars(tf))\n"
        "rebuilt = load_model(path, rebuild=True).call('serving_default', inputs)['scores']\n"
        "print('function' in vars(tf), np.array_equal(stored, rebuilt))\n"
        "weight = tf.Variable(3.0)\n"
        "print(tf.function(lambda x: tf.cond(x == weight, lambda: x + 1, lambda: x))(tf.constant(3.0)).numpy())\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=False
    )
    assert (process.stdout.split(), process.stderr) == (["False", "True", "True", "4.0"], "")
