import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from ostinato.export.loading import load_model
from ostinato.export.precision import HalfPrecisionWeights
from ostinato.export.saved_graph import read_meta_graph
from ostinato.export.stored_signatures import load_stored_signatures
from ostinato.export.widening import widen_weights

NUMBERS = np.random.default_rng(5).normal(size=(4, 5)).astype(np.float32)


def functions_of(folder):
    return list(read_meta_graph(folder).graph_def.library.function)


def half_reads(functions):
    nodes = [node for function in functions for node in function.node_def if node.op == "ReadVariableOp"]
    return [node for node in nodes if node.attr["dtype"].type == types_pb2.DT_HALF]


def test_halved_weights_are_held_in_float32_and_answer_to_the_bit_as_before(export, dense):
    folder = export()
    assert half_reads(functions_of(folder))  # it is exported with halves
    stored, rebuilt = load_stored_signatures(folder), load_model(folder, rebuild=True)
    assert {weight.dtype.name for weight in stored.weights} == {"float32"}
    assert {weight.dtype.name for weight in rebuilt.weights} == {"float16", "float32"}
    by_name = {weight.name: weight.numpy() for weight in rebuilt.weights}
    for weight in stored.weights:
        np.testing.assert_array_equal(weight.numpy(), by_name[weight.name].astype(np.float32))
    np.testing.assert_array_equal(
        stored.signatures["serving_default"](numbers=NUMBERS)["scores"],
        rebuilt.signatures["serving_default"](numbers=tf.constant(NUMBERS))["scores"],
    )


def test_widened_functions_read_and_cast_nothing_halved(export):
    library = functions_of(export())
    called = [function for function in library if "_traced_" not in function.signature.name]  # those that load and save
    assert widen_weights(called)
    assert not half_reads(called)
    casts = [node for function in called for node in function.node_def if node.op == "Cast"]
    assert {node.attr["SrcT"].type for node in casts} <= {types_pb2.DT_FLOAT}
    assert not widen_weights(called)  # there is nothing left to do


@pytest.mark.parametrize("use", ["multiplied", "broadcast", "gathered", "assigned"])
def test_a_model_that_uses_halves_as_halves_is_left_as_it_is(export, dense, use):
    half = tf.Variable(tf.cast(tf.range(5), tf.float16) / 3, trainable=False)

    def function(numbers):
        if use == "multiplied":
            product = tf.cast(tf.cast(numbers, tf.float16) * half, tf.float32)
        elif use == "gathered":  # by its handle, beside a plain cast
            gathered = tf.raw_ops.ResourceGather(resource=half.handle, indices=[0, 1, 2, 3, 4], dtype=tf.float16)
            product = tf.cast(gathered, tf.float32) + numbers * tf.cast(half, tf.float32)
        elif use == "assigned":
            half.assign_add(tf.zeros(5, tf.float16))
            product = numbers * tf.cast(half, tf.float32)
        else:
            product = tf.cast(tf.broadcast_to(half, tf.shape(numbers)), tf.float32) + numbers
        return {"scores": dense(product)}

    folder = export(function, trackables=[half])
    before = [each.SerializeToString(deterministic=True) for each in functions_of(folder)]
    library = functions_of(folder)
    assert not widen_weights(library)
    assert [each.SerializeToString(deterministic=True) for each in library] == before
    stored = load_stored_signatures(folder)
    assert "float16" in {weight.dtype.name for weight in stored.weights}
    np.testing.assert_array_equal(
        stored.signatures["serving_default"](numbers=NUMBERS)["scores"],
        load_model(folder, rebuild=True).signatures["serving_default"](numbers=tf.constant(NUMBERS))["scores"],
    )


def test_a_model_without_halves_is_left_as_it_is(export):
    assert not widen_weights(functions_of(export(half_precision=False)))


def test_the_scope_of_halves_is_what_widening_understands(dense):
    """Both must know of each other: a change of how halves are cast would silently cost a cast at every call."""
    halves = HalfPrecisionWeights([dense])

    @tf.function(input_signature=[tf.TensorSpec([None, 5])], autograph=False)
    def function(numbers):
        with halves.scope():
            return dense(numbers)

    assert widen_weights([function.get_concrete_function().function_def])
