import json
import subprocess
import sys

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from ostinato.errors import ModelError
from ostinato.text import END, PAD, START, UNKNOWN, Tokenizer
from ostinato.text.graph import GraphTokenizer


@pytest.fixture(scope="module")
def tokenizer(model):
    return Tokenizer(model)


@pytest.fixture(scope="module")
def graph(model):
    return GraphTokenizer(model)


@pytest.fixture(scope="module")
def reference(model):
    """Decoding as sentencepiece itself does it, which knows no end but leaves it out."""
    return sentencepiece.SentencePieceProcessor(model_proto=model).decode


def padded(sequences):
    length = max(map(len, sequences))
    return np.array([[*sequence, *[PAD] * (length - len(sequence))] for sequence in sequences], np.int32)


def texts_of(tensor):
    return [text.decode() for text in np.ravel(tensor.numpy()).tolist()]


def test_captions_are_decoded_as_in_python(graph, tokenizer, captions):
    # whole, and in two different places cut off as by a limit of length
    sequences = [tokenizer.encode(caption) for caption in captions]
    sequences += [ids[: len(ids) // 2] for ids in sequences] + [ids[3:] for ids in sequences]
    sequences = [[*ids, END] for ids in sequences]
    assert len(sequences) > 200
    decoded = texts_of(graph.decode(padded(sequences)))
    assert decoded == [tokenizer.decode(ids) for ids in sequences]
    assert decoded[: len(captions)] == captions


def test_every_text_comes_back(graph, tokenizer, hard_text):
    assert texts_of(graph.decode(tf.constant([tokenizer.encode(hard_text)], tf.int32))) == [hard_text]


def test_texts_of_all_lengths_come_back_from_one_batch(graph, tokenizer, hard_texts):
    assert texts_of(graph.decode(padded([[*tokenizer.encode(text), END] for text in hard_texts]))) == hard_texts


def test_random_ids_are_decoded_as_the_reference_does(graph, tokenizer, reference):
    ids = np.random.default_rng(1).integers(tokenizer.size, size=(800, 13))
    ids[ids == END] = START
    assert texts_of(graph.decode(ids)) == [reference(row) for row in ids.tolist()]


def test_random_bytes_are_decoded_as_the_reference_does(graph, tokenizer, reference):
    generator = np.random.default_rng(2)
    pieces = tokenizer.pieces(range(tokenizer.size))
    byte_ids = np.array([pieces.index(f"<0x{value:02X}>") for value in range(256)])
    leading, trailing = byte_ids[0xC0:], byte_ids[0x80:0xC0]
    others = [START, PAD, 4, UNKNOWN, pieces.index("\u2581"), pieces.index("\u2581a"), *byte_ids[[0x20, 0x41]]]
    kinds = generator.integers(4, size=(3000, 9))
    drawn = [generator.choice(ids, size=kinds.shape) for ids in (leading, trailing, trailing, others)]
    ids = np.choose(kinds, drawn)
    decoded = texts_of(graph.decode(ids))
    assert decoded == [reference(row) for row in ids.tolist()]
    assert sum("\ufffd" in text for text in decoded) > 1000
    whole = [text.replace("\ufffd", "") for text in decoded]
    assert sum(any(ord(character) > 0x7F for character in text) for text in whole) > 500


def test_random_ids_with_ends_are_decoded_as_in_python(graph, tokenizer):
    ids = np.random.default_rng(3).integers(9, size=(300, 7))  # few pieces, so that every place has an end
    ids[ids >= 7] += tokenizer.size - 20
    assert texts_of(graph.decode(ids)) == [tokenizer.decode(row) for row in ids]


def test_only_the_space_before_the_first_word_is_dropped(graph, tokenizer):
    space, word = (tokenizer.pieces(range(tokenizer.size)).index(piece) for piece in ("\u2581", "\u2581a"))
    byte = tokenizer.pieces(range(tokenizer.size)).index("<0x20>")
    cases = {
        (word, word): "a a",
        (START, word): "a",
        (space, word): " a",
        (byte, word): "  a",
        (UNKNOWN, word): " \u2047  a",
        (word, UNKNOWN): "a \u2047 ",
        (space, space): " ",
        (PAD, space): "",
    }
    assert texts_of(graph.decode(padded(list(cases)))) == list(cases.values())


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("shape", [(7,), (3, 7), (2, 3, 7), (0, 7), (3, 0)])
def test_the_last_axis_is_read_whatever_stands_before_it(graph, tokenizer, shape, dtype):
    ids = np.random.default_rng(4).integers(4, tokenizer.size, size=shape).astype(dtype)
    decoded = graph.decode(tf.constant(ids))
    assert decoded.shape == shape[:-1]
    assert texts_of(decoded) == [tokenizer.decode(ids[place]) for place in np.ndindex(shape[:-1])]


def test_pieces_are_named_as_in_python(graph, tokenizer):
    ids = np.arange(tokenizer.size)
    assert texts_of(graph.pieces(ids)) == tokenizer.pieces(ids)
    assert graph.pieces(ids[:60].reshape(3, 4, 5)).shape == (3, 4, 5)


def test_a_tokenizer_of_some_pieces_knows_them_by_their_new_ids(graph, model, tokenizer):
    kept = [PAD, START, END, UNKNOWN, *range(7, tokenizer.size, 3)]
    some = GraphTokenizer(model, kept)
    assert some.size == len(kept)
    ids = np.random.default_rng(4).integers(0, len(kept), (20, 9))
    np.testing.assert_array_equal(some.decode(tf.constant(ids)), graph.decode(tf.constant(np.take(kept, ids))))
    np.testing.assert_array_equal(some.pieces(tf.constant(ids)), graph.pieces(tf.constant(np.take(kept, ids))))
    with pytest.raises(ValueError, match="cannot encode"):
        some.encode(tf.constant(["a dog"]))


@pytest.mark.parametrize("kept", [None, [0, 1, 2, 3]])
def test_what_is_no_tokenizer_is_refused(kept):
    with pytest.raises(ModelError):
        GraphTokenizer(b"not a model", kept)


def test_a_saved_graph_decodes_with_core_operations_alone(graph, tokenizer, captions, hard_texts, tmp_path):
    signature = tf.TensorSpec([None, None, None], tf.int32, name="ids")
    module = tf.Module()
    module.decode = tf.function(
        lambda ids: {"texts": graph.decode(ids), "pieces": graph.pieces(ids)}, input_signature=[signature]
    )
    tf.saved_model.save(module, tmp_path / "1", signatures={"serving_default": module.decode})
    names = {node.op for node in operations(tmp_path / "1")}
    assert names
    core = set(tf.raw_ops.__dict__) | {"Placeholder", "NoOp"}
    assert {name for name in names if name not in core} == set()
    assert not {name for name in names if "PyFunc" in name or "Sentencepiece" in name}

    loaded = tf.saved_model.load(tmp_path / "1").signatures["serving_default"]
    texts = [*hard_texts, *captions[: 24 - len(hard_texts)]]
    ids = padded([[*tokenizer.encode(text), END] for text in texts]).reshape(4, 6, -1)
    assert texts_of(loaded(ids=tf.constant(ids))["texts"]) == texts


def test_a_saved_graph_encodes_with_core_operations_alone(graph, tokenizer, captions, hard_texts, tmp_path):
    module = tf.Module()
    signature = tf.TensorSpec([None], tf.string, name="texts")
    module.encode = tf.function(
        lambda texts: graph.encode(texts).to_tensor(PAD), autograph=False, input_signature=[signature]
    )
    tf.saved_model.save(module, tmp_path / "1", signatures={"serving_default": module.encode})
    names = {node.op for node in operations(tmp_path / "1")}
    assert names
    assert {name for name in names if name not in {*tf.raw_ops.__dict__, "Placeholder", "NoOp"}} == set()
    assert not {name for name in names if "PyFunc" in name or "HashTable" in name or "Sentencepiece" in name}

    texts = [*hard_texts, *captions]
    script = f"""
import sys
import tensorflow as tf
encode = tf.saved_model.load({str(tmp_path / "1")!r}).signatures["serving_default"]
print(encode(texts=tf.constant({texts!r}))["output_0"].numpy().tolist())
assert not {{"sentencepiece", "ostinato"}} & set(sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    expected = padded([tokenizer.encode(text) for text in texts])
    assert json.loads(result.stdout) == expected.tolist()


def operations(folder):
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for meta_graph in saved.meta_graphs:
        yield from meta_graph.graph_def.node
        for function in meta_graph.graph_def.library.function:
            yield from function.node_def
