from unittest.mock import Mock

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

from ostinato.layers import SequenceClassifier
from ostinato.sequences.reading import StreamReader, read_streams

LENGTHS = [9, 1, 4, 4, 13, 2]


@pytest.fixture(scope="module")
def store(write_store, tmp_path_factory):
    generator = np.random.default_rng(8)
    return write_store(
        tmp_path_factory.mktemp("store"), [{"features": generator.normal(size=(frames, 3))} for frames in LENGTHS]
    )


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(2)
    classifier = SequenceClassifier(4, units=5, num_layers=1, projection_size=0)
    classifier.build((None, None, 3))
    for weight in classifier.weights:
        weight.assign(np.random.default_rng(len(weight.shape)).normal(0, 0.6, weight.shape))
    return classifier


@pytest.mark.parametrize("frames_at_once", [5, 30, 1000])
def test_pieces_and_neighbours_change_nothing_in_what_is_said_of_a_sequence(classifier, store, frames_at_once):
    rows = [4, 0, 5, 1, 3]
    outputs = StreamReader(classifier, 3, frames_at_once=frames_at_once).read(store, rows)
    for row, output in zip(rows, outputs, strict=True):
        alone = classifier(store.features_of(row)[None].astype("float32"))
        frame_logits, clip_logits = (ops.convert_to_numpy(part)[0] for part in alone[:2])
        assert output.frame_logits.shape == (LENGTHS[row], 4)
        assert_allclose(output.frame_logits, frame_logits, atol=1e-5)
        assert_allclose(output.clip_logits, clip_logits[-1], atol=1e-5)


def test_sequences_come_in_the_order_asked_for_once_each_time(classifier, store):
    first, second, again = read_streams(classifier, store, [2, 3, 2])
    assert_allclose(first.frame_logits, again.frame_logits)
    assert not np.allclose(first.frame_logits, second.frame_logits, atol=0.01)
    assert read_streams(classifier, store, []) == []


def test_no_more_frames_are_read_at_once_than_allowed(classifier, store, monkeypatch):
    reader = StreamReader(classifier, 3, frames_at_once=6)
    steps = Mock(side_effect=reader._steps)
    monkeypatch.setattr(reader, "_steps", steps)
    reader.read(store, range(6))
    shapes = [call.args[0].shape for call in steps.call_args_list]
    assert max(batch * frames for batch, frames, _ in shapes) == 6


def test_what_is_read_is_said_with_the_weights_of_now(classifier, store):
    reader = StreamReader(classifier, 3)
    (before,) = reader.read(store, [0])
    bias = classifier.frame_head.bias
    bias.assign_add(np.ones(4))
    (after,) = reader.read(store, [0])
    bias.assign_add(-np.ones(4))
    assert_allclose(after.frame_logits, before.frame_logits + 1, atol=1e-5)


def test_sequences_of_all_lengths_are_read_by_one_graph(classifier, store, monkeypatch):
    steps = Mock(side_effect=classifier.steps)
    monkeypatch.setattr(classifier, "steps", steps)
    reader = StreamReader(classifier, 3, frames_at_once=14)
    for rows in ([0], [1, 2], [4], [2, 3, 5]):
        reader.read(store, rows)
    assert steps.call_count == 1
