import dataclasses
import os
import zipfile

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ostinato.errors import ModelError
from ostinato.training import Progress, load_weights, read_progress, save_weights
from ostinato.training.checkpoint import load_checkpoint, save_checkpoint

PROGRESS = Progress(
    epoch=3, best_score=12.5, best_epoch=2, history=[{"epoch": 1, "loss": 0.125}, {"epoch": 2}], stopped_early=True
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "checkpoint.npz"


def train(model, batches):
    for inputs, targets in batches:
        model.train_on_batch(inputs, targets)
    return model


@pytest.fixture(scope="module")
def trained(make_model, make_batches):
    """What tests save and leave as it is."""
    return train(make_model(), make_batches(0))


def state(model):
    return [np.asarray(variable).copy() for variable in [*model.variables, *model.optimizer.variables]]


def assert_same_state(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


def test_model_optimizer_and_progress_come_back(path, trained, make_model):
    save_checkpoint(path, trained, PROGRESS)
    model = make_model()
    assert load_checkpoint(path, model) == PROGRESS
    assert_same_state(state(model), state(trained))
    assert int(np.asarray(model.optimizer.iterations)) == 4


def test_training_goes_on_as_if_it_had_not_been_saved(path, make_model, make_batches):
    trained = train(make_model(), make_batches(0))
    save_checkpoint(path, trained, PROGRESS)
    model = make_model()
    load_checkpoint(path, model)
    for inputs, targets in make_batches(1):
        # the seeds of dropout are part of the state
        assert model.train_on_batch(inputs, targets) == trained.train_on_batch(inputs, targets)
    assert_same_state(state(model), state(trained))


def test_progress_is_read_without_a_model(path, trained):
    assert read_progress(path) == Progress()
    save_checkpoint(path, trained, PROGRESS)
    assert read_progress(path) == PROGRESS


def test_progress_before_the_first_score_comes_back(path, trained):
    save_checkpoint(path, trained, Progress())
    assert read_progress(path) == Progress()
    assert dataclasses.asdict(read_progress(path))["best_score"] is None


def test_weights_come_back_and_nothing_else(path, trained, make_model):
    save_weights(path, trained)
    model = make_model()
    load_weights(path, model)
    for found, expected in zip(model.weights, trained.weights, strict=True):
        assert_array_equal(np.asarray(found), np.asarray(expected))
    assert int(np.asarray(model.optimizer.iterations)) == 0


@pytest.mark.parametrize("units", [4, 6])
def test_a_model_of_other_shapes_is_refused_and_left_alone(path, trained, make_model, units):
    save_checkpoint(path, trained, PROGRESS)
    save_weights(path.with_name("best.npz"), trained)
    model = make_model(units)
    model.optimizer.build(model.trainable_variables)
    before = state(model)
    with pytest.raises(ModelError, match="other settings"):
        load_checkpoint(path, model)
    with pytest.raises(ModelError, match="other settings"):
        load_weights(path.with_name("best.npz"), model)
    assert_same_state(state(model), before)


def test_an_optimizer_of_other_variables_is_refused_and_the_model_left_alone(path, trained, make_model):
    save_checkpoint(path, trained, PROGRESS)
    model = make_model(averaging=0.0)
    model.optimizer.build(model.trainable_variables)
    before = state(model)
    with pytest.raises(ModelError, match="other settings"):
        load_checkpoint(path, model)
    assert_same_state(state(model), before)


@pytest.mark.parametrize("units", [[5], [5, 5, 5]])
def test_a_model_of_fewer_or_more_layers_is_refused(path, trained, units):
    save_weights(path, trained)
    model = keras.Sequential([keras.Input((3,)), *(keras.layers.Dense(size, use_bias=False) for size in units)])
    with pytest.raises(ModelError, match="other settings"):
        load_weights(path, model)


def test_a_missing_file_is_named(path, make_model):
    with pytest.raises(ModelError, match=r"checkpoint\.npz"):
        load_weights(path, make_model())


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.99])
def test_a_cut_off_file_is_damaged(path, trained, make_model, share):
    save_checkpoint(path, trained, PROGRESS)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match=r"checkpoint\.npz is damaged"):
        load_checkpoint(path, make_model())
    with pytest.raises(ModelError, match=r"checkpoint\.npz is damaged"):
        read_progress(path)


def test_a_changed_byte_is_noticed_or_harmless(path, trained, make_model):
    save_checkpoint(path, trained, PROGRESS)
    content, expected, model = path.read_bytes(), state(trained), make_model()
    generator, refused = np.random.default_rng(0), 0
    for place in generator.integers(len(content), size=150):
        changed = bytearray(content)
        changed[place] ^= int(generator.integers(1, 256))
        path.write_bytes(changed)
        try:
            assert load_checkpoint(path, model) == PROGRESS
            assert_same_state(state(model), expected)
        except ModelError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("content", [b"text", b"PK\x03\x04", b"\x80\x04."])
def test_other_files_are_damaged(path, make_model, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged"):
        load_weights(path, make_model())


def test_a_single_array_is_damaged(path, make_model):
    path.parent.mkdir()
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(ModelError, match="damaged"):
        load_weights(path, make_model())


def test_weights_are_no_checkpoint(path, trained, make_model):
    save_weights(path, trained)
    with pytest.raises(ModelError, match="no checkpoint"):
        load_checkpoint(path, make_model())


def test_nothing_is_unpickled(path, make_model):
    path.parent.mkdir()
    with path.open("wb") as file:
        np.savez(file, weight_0=np.array([print], dtype=object))
    assert zipfile.is_zipfile(path)
    with pytest.raises(ModelError, match="damaged"):
        load_weights(path, make_model())


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_the_old_file(path, trained, make_batches, monkeypatch, function):
    save_checkpoint(path, trained, PROGRESS)
    content = path.read_bytes()
    for inputs, targets in make_batches(1):
        trained.train_on_batch(inputs, targets)

    def crash(*arguments):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, function, crash)
        with pytest.raises(OSError, match="no space"):
            save_checkpoint(path, trained, Progress(epoch=4))
    assert path.read_bytes() == content
    save_checkpoint(path, trained, Progress(epoch=4))  # and what lies about of it hinders nothing
    assert read_progress(path).epoch == 4
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]
