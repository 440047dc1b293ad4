import shutil

import numpy as np
import pytest
import tensorflow as tf

from ostinato.errors import ModelError
from ostinato.export.warmup import WARMUP_FILE, Request, write_requests
from ostinato.serving.errors import ServingError
from ostinato.serving.servable import Servable, TensorInfo


@pytest.fixture(scope="module")
def toy(toy_versions):
    return Servable.load(toy_versions[2])


@pytest.fixture
def copy(toy_versions, tmp_path):
    return shutil.copytree(toy_versions[2], tmp_path / "2")


def texts(*values):
    return np.array(values, object)


def test_signatures_tell_names_dtypes_and_free_sizes(toy):
    several = toy.signatures["several"]
    assert several.inputs == {
        "numbers": TensorInfo("several_numbers:0", "int32", (-1, -1)),
        "text": TensorInfo("several_text:0", "string", (-1,)),
    }
    assert {name: (info.dtype, info.shape) for name, info in several.outputs.items()} == {
        "echo_bytes": ("string", (-1,)),
        "text": ("string", (-1,)),
        "total": ("int32", (-1,)),
    }
    assert several.method_name == "tensorflow/serving/predict"
    assert toy.signatures["serving_default"].inputs["x"].shape is None
    assert "__saved_model_init_op" not in toy.signatures


def test_a_prediction_keeps_dtypes_and_bytes(toy):
    numbers = np.array([[1, 2, 3], [4, 5, 6]], np.int32)
    outputs = toy.predict("several", {"numbers": numbers, "text": texts(b"a\0", "ü".encode())})
    assert outputs["total"].tolist() == [6, 15]
    assert outputs["total"].dtype == np.int32
    assert outputs["text"].tolist() == [b"a\0", "ü".encode()]


def test_only_the_outputs_that_are_wanted_are_answered(toy):
    inputs = {"numbers": np.ones((1, 3), np.int32), "text": texts(b"a")}
    assert toy.predict("several", inputs, ["total"]).keys() == {"total"}
    with pytest.raises(ServingError, match="not found in signature: nothing Outputs expected to be in the set"):
        toy.predict("several", inputs, ["nothing"])


def test_no_name_stands_for_the_default_signature(toy):
    assert toy.predict("", {"x": np.float32([3, 5])})["y"].tolist() == [3.5, 4.5]


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("other", {}, '"other" not found in signature def; there are: examples, kinds, mean, positive'),
        ("scaled", {"x": np.ones((3, 2), np.float32)}, r"1!=2 .* Sent extra: \{\}. Missing but required: \{scale\}"),
        ("positive", {"y": np.float32([1])}, r"Sent extra: \{y\}. Missing but required: \{x\}"),
        ("positive", {"x": np.array([1.0])}, "input x is float64; expected float32"),
        ("positive", {"x": texts(b"1")}, "input x is string; expected float32"),
        ("positive", {"x": np.float32(1)}, r"input x has shape \[\]; expected \[-1\]"),
        ("scaled", {"x": np.ones((3, 5), np.float32), "scale": np.float32(1)}, r"shape \[3, 5\]; expected \[-1, 2\]"),
    ],
)
def test_what_does_not_fit_the_signature_is_refused_with_what_was_expected(toy, signature, inputs, message):
    with pytest.raises(ServingError, match=message) as raised:
        toy.predict(signature, inputs)
    assert raised.value.code == "INVALID_ARGUMENT"
    assert raised.value.http_status == 400


def test_the_graph_s_own_refusal_is_told_without_its_nodes(toy):
    with pytest.raises(ServingError, match="x must be positive") as raised:
        toy.predict("positive", {"x": np.float32([1, -1])})
    assert raised.value.code == "INVALID_ARGUMENT"
    assert not [each for each in ("{{", "[[", "Graph execution", ".py", "\n", "Op:") if each in raised.value.message]


def test_bytes_of_numpy_are_strings_too(toy):
    inputs = {"numbers": np.ones((2, 1), np.int32), "text": np.array([b"one", b"three"])}
    assert toy.predict("several", inputs, ["text"])["text"].tolist() == [b"one", b"three"]


@pytest.mark.parametrize(
    "part", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
)
def test_a_folder_that_lacks_a_part_is_refused_in_one_sentence(copy, part):
    (copy / part).unlink()
    with pytest.raises(ModelError) as raised:
        Servable.load(copy)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "part", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.97])
def test_a_folder_with_a_file_cut_short_is_refused(copy, part, share):
    content = (copy / part).read_bytes()
    (copy / part).write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match=r"damaged|half-copied|no model of TensorFlow 2"):
        Servable.load(copy)


def test_weights_with_a_flipped_bit_are_refused(copy):
    path = copy / "variables/variables.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[1] ^= 64
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        Servable.load(copy)


@pytest.mark.parametrize("form", ["saved_model.cpb", "saved_model.pbtxt"])
def test_a_second_spelling_of_the_graph_is_refused(copy, form):
    (copy / form).write_bytes(b"")
    with pytest.raises(ModelError, match=f"holds {form}"):
        Servable.load(copy)


def test_links_out_of_the_folder_are_refused(copy, tmp_path):
    moved = (copy / "variables").rename(tmp_path / "elsewhere")
    (copy / "variables").symlink_to(moved)
    with pytest.raises(ModelError, match="link out of the model's folder"):
        Servable.load(copy)


class Reads(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def read(self, path):
        return {"content": tf.map_fn(tf.io.read_file, path)}


class Writes(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def write(self, text):
        tf.io.write_file("out", text[0])
        return {"text": text}


class Calls(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)], autograph=False)
    def call(self, x):
        return {"y": tf.numpy_function(np.sin, [x], tf.float32)}


class Looks(tf.Module):
    """The file is read as soon as the model is loaded."""

    def __init__(self, path):
        super().__init__()
        self.table = tf.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer(
                str(path), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            ),
            1,
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def look(self, word):
        return {"id": self.table.lookup(word)}


def test_graphs_that_would_touch_files_or_call_python_are_refused(tmp_path):
    (tmp_path / "words").write_text("a\nb\n")
    for number, (module, op) in enumerate(
        [(Reads(), "ReadFile"), (Writes(), "WriteFile"), (Calls(), "PyFunc"), (Looks(tmp_path / "words"), "TextFile")]
    ):
        call = next(getattr(module, name) for name in ("read", "write", "call", "look") if hasattr(module, name))
        tf.saved_model.save(module, str(tmp_path / str(number)), signatures=call)
        with pytest.raises(ModelError, match=op):
            Servable.load(tmp_path / str(number))


def test_warm_up_requests_are_replayed_and_must_succeed(save_toy, tmp_path, monkeypatch):
    folder = save_toy(tmp_path / "1", warmup=[np.array([1, 2], np.float32), np.array(3, np.float32)])
    replayed = []
    run = Servable.run
    monkeypatch.setattr(
        Servable,
        "run",
        lambda self, name, inputs, outputs=(): replayed.append(name) or run(self, name, inputs, outputs),
    )
    Servable.load(folder)
    assert replayed == ["serving_default", "serving_default"]
    write_requests(folder / WARMUP_FILE, [Request("positive", {"x": np.array([-1], np.float32)})], "toy")
    with pytest.raises(ModelError, match="fails on one of its warm-up requests"):
        Servable.load(folder)
