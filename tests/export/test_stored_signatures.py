import gc
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.eager import context

from ostinato.errors import ModelError
from ostinato.export.endpoints import Endpoint, Preset, Sample
from ostinato.export.loading import load_model
from ostinato.export.saved_graph import read_meta_graph
from ostinato.export.stored_signatures import load_stored_signatures

NUMBERS = np.random.default_rng(2).normal(size=(4, 5)).astype(np.float32)


@pytest.fixture
def two_signatures(export, dense, five_numbers):
    """A model whose signatures share weights; one of them loops, branches and has settings, and one settles these."""

    def repeated(numbers, times, negative):
        def once(left, x):
            return left - 1, tf.nn.softmax(dense(tf.concat([x, x[:, :2]], axis=1)))

        numbers = tf.cond(negative, lambda: -numbers, lambda: numbers)
        _, scores = tf.while_loop(
            lambda left, x: left > 0, once, (times, numbers[:, :3]), (tf.TensorShape([]), tf.TensorShape([None, 3]))
        )
        return {"scores": scores, "is_first": scores[:, 0] > scores[:, 1]}

    specs = [
        tf.TensorSpec((None, 5), tf.float32, name="numbers"),
        tf.TensorSpec((), tf.int32, name="times"),
        tf.TensorSpec((), tf.bool, name="negative"),
    ]
    plain = Endpoint("plain", lambda numbers: {"scores": dense(numbers)}, specs[:1])
    settings = {"times": 3, "negative": True}
    looped = Endpoint("repeated", repeated, specs)
    preset = Preset("serving_default", looped, settings, outputs=("scores",))
    samples = [
        five_numbers,
        Sample("plain", five_numbers.inputs),
        Sample("repeated", {**five_numbers.inputs, **settings}),
    ]
    return export(endpoints=[plain, looped, preset], samples=samples)


def change_graph(folder, change):
    graph = read_meta_graph(folder)
    change(graph)
    saved_model = saved_model_pb2.SavedModel(saved_model_schema_version=1, meta_graphs=[graph])
    (folder / "saved_model.pb").write_bytes(saved_model.SerializeToString())


def inputs(**settings):
    return {"numbers": tf.constant(NUMBERS), **{name: tf.constant(value) for name, value in settings.items()}}


def test_signatures_answer_as_those_that_tensorflow_rebuilds(two_signatures):
    stored, rebuilt = load_model(two_signatures), load_model(two_signatures, rebuild=True)
    assert stored.signatures.keys() == rebuilt.signatures.keys() == {"plain", "repeated", "serving_default"}
    for name, given in {
        "plain": inputs(),
        "repeated": inputs(times=2, negative=False),
        "serving_default": inputs(),
    }.items():
        for _ in range(2):  # the first time functions are handed over
            found, expected = stored.signatures[name](**given), rebuilt.signatures[name](**given)
            assert found.keys() == expected.keys()
            for key, value in expected.items():
                np.testing.assert_array_equal(found[key], value)
    assert stored.signatures["repeated"](**inputs(times=2, negative=True))["is_first"].dtype == tf.bool


def test_signatures_share_their_weights(two_signatures):
    stored = load_stored_signatures(two_signatures)
    assert sorted(weight.shape for weight in stored.weights) == [(3,), (5, 7), (7,), (7, 3)]
    before = stored.signatures["plain"](**inputs())["scores"].numpy()
    (bias,) = [weight for weight in stored.weights if weight.shape == (3,)]
    old = bias.numpy()
    tf.raw_ops.AssignAddVariableOp(resource=bias.handle, value=tf.ones(3))
    np.testing.assert_array_equal(bias.numpy(), old + 1)
    np.testing.assert_allclose(stored.signatures["plain"](**inputs())["scores"], before + 1, atol=1e-6)
    rebuilt = load_model(two_signatures, rebuild=True)
    assert len(rebuilt.weights) == len(stored.weights)


def test_weights_are_named_by_their_paths_however_they_are_loaded(two_signatures, dense):
    for rebuild in (False, True):
        shapes = {weight.name: weight.shape for weight in load_model(two_signatures, rebuild=rebuild).weights}
        assert shapes == {weight.path: tuple(weight.shape) for weight in dense.weights}


def test_two_versions_in_one_process_keep_their_own_weights(export, dense):
    first = load_model(export())
    before = first.signatures["serving_default"](**inputs())["scores"].numpy()
    dense.set_weights([2 * weight for weight in dense.get_weights()])
    second = load_model(export())
    assert second.path != first.path
    after = second.signatures["serving_default"](**inputs())["scores"].numpy()
    assert np.abs(after - before).max() > 0.1
    np.testing.assert_array_equal(first.signatures["serving_default"](**inputs())["scores"], before)


def test_a_signature_is_asked_by_several_threads_at_once(two_signatures):
    signature = load_model(two_signatures).signatures["plain"]
    together = threading.Barrier(4)
    answers = []

    def ask():
        together.wait()
        answers.append(signature(**inputs())["scores"].numpy())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    for answer in answers:
        np.testing.assert_array_equal(answer, answers[0])


def test_other_inputs_are_refused(two_signatures):
    signature = load_model(two_signatures).signatures["repeated"]
    with pytest.raises(TypeError, match="repeated takes negative, numbers, times; it was given numbers"):
        signature(**inputs())
    with pytest.raises(TypeError, match="it was given negative, numbers, size, times"):
        signature(**inputs(times=1, negative=False, size=3))
    with pytest.raises(tf.errors.InvalidArgumentError, match="times is float32, and repeated takes int32"):
        signature(**inputs(times=1.0, negative=False))


def test_a_model_that_is_loaded_again_leaves_no_more_behind(two_signatures):
    def ask():
        load_model(two_signatures).signatures["repeated"](**inputs(times=1, negative=False))
        gc.collect()
        return len(context.context().list_function_names())

    ask()
    assert ask() == ask()


def test_weights_of_another_graph_are_refused(export, dense):
    other = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7), keras.layers.Dense(3)])
    folder, stranger = export(), export(lambda numbers: {"scores": other(numbers)}, model=other, trackables=[dense])
    for path in (stranger / "variables").iterdir():
        (folder / "variables" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ModelError, match="are not those of its graph; export or fetch it again"):
        load_model(folder)


@pytest.mark.parametrize(
    "fault", ["function", "operation", "node", "result", "input", "input too many", "weight", "output"]
)
def test_a_graph_that_lacks_something_is_named_when_it_is_asked(two_signatures, fault):
    def damage(graph):
        library = graph.graph_def.library.function
        definition = graph.signature_def["repeated"]
        source = next(iter(definition.outputs.values())).name.partition(":")[0]
        call = next(node for node in graph.graph_def.node if node.name == source)
        called = next(each for each in library if each.signature.name == call.attr["f"].func.name)
        if fault == "node":
            (body,) = [each for each in library if "_body_" in each.signature.name]
            body.node_def.remove(next(node for node in body.node_def if node.op == "Softmax"))
        elif fault == "result":
            del called.ret[next(iter(called.ret))]
        elif fault == "input":
            del call.input[-1]
        elif fault == "input too many":
            call.input.append(call.input[-1] + "_more")
        elif fault == "weight":
            del graph.object_graph_def.concrete_functions[called.signature.name].bound_inputs[-1]
        elif fault == "output":
            definition.outputs["scores"].name = f"{source}:77"
        elif fault == "function":
            (body,) = [each for each in library if "_body_" in each.signature.name]
            library.remove(body)
        else:
            next(node for each in library for node in each.node_def if node.op == "Softmax").op = "Softmaximum"

    change_graph(two_signatures, damage)
    model = load_model(two_signatures)
    assert model.signatures["plain"](**inputs())["scores"].shape == (4, 3)
    with pytest.raises(ModelError, match=r"toy/1 is damaged \(.*\); export or fetch it again") as caught:
        model.signatures["repeated"](**inputs(times=1, negative=False))
    assert not any(each in str(caught.value) for each in ("\n", "{{", "[Op:"))


def test_a_weight_that_there_is_not_is_named_when_the_model_is_loaded(two_signatures):
    def damage(graph):
        for function in graph.object_graph_def.concrete_functions.values():
            function.bound_inputs.append(10_000)

    change_graph(two_signatures, damage)
    with pytest.raises(ModelError, match=r"toy/1 is damaged \(10000\); export or fetch it again"):
        load_model(two_signatures)


def test_damaged_weights_are_said_to_be_without_the_names_of_nodes(two_signatures):
    (data,) = (two_signatures / "variables").glob("*.data-*")
    data.write_bytes(data.read_bytes()[:-20])
    with pytest.raises(ModelError, match=r"toy/1 is damaged \([^{\[]*\); export or fetch it again"):
        load_model(two_signatures)


def test_a_signature_within_another_graph_is_refused_unless_it_was_built_anew(two_signatures):
    stored, rebuilt = load_model(two_signatures), load_model(two_signatures, rebuild=True)

    def answer(model):
        return tf.function(lambda: model.signatures["plain"](numbers=tf.constant(NUMBERS)), autograph=False)()

    with pytest.raises(TypeError, match="plain is called within a graph: load the model with rebuild=True"):
        answer(stored)
    assert answer(rebuilt)["scores"].shape == (4, 3)


def test_what_holds_a_table_is_left_to_tensorflow(export):
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([0, 1], [5, 7]), 0)
    folder = export(lambda numbers: {"scores": table.lookup(tf.cast(numbers, tf.int32))}, trackables=[table])
    assert load_stored_signatures(folder) is None
    assert load_model(folder).signatures["serving_default"](numbers=tf.ones((1, 5)))["scores"].numpy().tolist() == [
        [7, 7, 7, 7, 7]
    ]


def test_a_signature_that_is_no_call_of_a_function_is_left_to_tensorflow(export):
    def change(graph):
        (call,) = [node for node in graph.graph_def.node if node.name == "StatefulPartitionedCall"]
        call.op = "IdentityN"

    folder = export()
    change_graph(folder, change)
    assert load_stored_signatures(folder) is None
