import functools
import json
import math

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from ostinato.errors import ModelError
from ostinato.training import (
    BEST_WEIGHTS,
    CHECKPOINT,
    feed_epochs,
    fit_resumably,
    load_weights,
    read_progress,
    write_history,
)


class Interrupt(keras.callbacks.Callback):
    """Stops everything in the middle of an epoch, as an impatient user does."""

    def __init__(self, epoch, batch=1):
        super().__init__()
        self.epoch, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.running = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.running, batch) == (self.epoch, self.batch):
            raise KeyboardInterrupt


@pytest.fixture
def fit(run_in, tmp_path):
    """Trains, or goes on, eagerly: for what is the same however a model learns."""
    return functools.partial(run_in, tmp_path / "run", eager=True)


@pytest.fixture
def fit_traced(run_in, tmp_path):
    """Trains, or goes on, as applications do."""
    return functools.partial(run_in, tmp_path / "run")


def test_an_epoch_is_recorded_with_loss_scores_and_learning_rate(fit):
    _, progress = fit(epochs=3)
    assert [record["updates"] for record in progress.history] == [4, 8, 12]
    rates = [record["learning_rate"] for record in progress.history]
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < rates[0] < 0.05
    assert all(math.isfinite(record["loss"]) and record["seconds"] >= 0 for record in progress.history)
    assert {"epoch", "loss", "score", "other", "learning_rate", "updates", "seconds"} == set(progress.history[0])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others see that nothing is left before they begin")
def test_each_batch_of_an_epoch_is_one_update_and_nothing_comes_after_the_last(fit_traced):
    """An update that finds no batch would still count, and decay the weights."""
    begun = []

    class Count(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            begun.append(batch)

    fit_traced(epochs=3, callbacks=[Count()])
    assert begun == [0, 1, 2, 3] * 3


@pytest.mark.parametrize(("epoch", "batch"), [(0, 2), (2, 0), (4, 3)])
def test_an_interrupted_run_ends_like_one_that_was_not(fit_traced, whole_run, assert_same_run, tmp_path, epoch, batch):
    with pytest.raises(KeyboardInterrupt):
        fit_traced(callbacks=[Interrupt(epoch, batch)])
    assert read_progress(tmp_path / "run" / CHECKPOINT).epoch == epoch
    assert_same_run(fit_traced(), whole_run)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [BEST_WEIGHTS, CHECKPOINT]


def test_a_run_interrupted_while_it_is_scored_ends_like_one_that_was_not(fit_traced, whole_run, assert_same_run):
    with pytest.raises(IndexError):
        fit_traced(scores=[record["score"] for record in whole_run[1].history][:2])
    assert_same_run(fit_traced(), whole_run, ignored={"other"})


def test_a_run_interrupted_in_every_epoch_ends_like_one_that_was_not(fit_traced, whole_run, assert_same_run):
    for epoch in range(5):
        with pytest.raises(KeyboardInterrupt):
            fit_traced(callbacks=[Interrupt(epoch)])
    assert_same_run(fit_traced(), whole_run)


def test_a_finished_run_does_nothing(fit, tmp_path):
    model, progress = fit(epochs=2)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    seen = []
    again, same = fit(epochs=2, callbacks=[Interrupt(2, 0)], on_epoch=lambda progress: seen.append(progress.epoch))
    assert same == progress
    assert seen == [2]
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    for one, other in zip(model.variables, again.variables, strict=True):
        assert_allclose(np.asarray(one), np.asarray(other))


def test_more_epochs_than_before_go_on(fit_traced, whole_run, assert_same_run):
    fit_traced(epochs=1)
    fit_traced(epochs=3)
    assert_same_run(fit_traced(epochs=5), whole_run)


def test_who_watches_hears_of_what_was_found_and_of_each_epoch(fit):
    heard = []
    fit(epochs=2, on_epoch=lambda progress: heard.append((progress.epoch, len(progress.history))))
    fit(epochs=4, on_epoch=lambda progress: heard.append((progress.epoch, len(progress.history))))
    assert heard == [(0, 0), (1, 1), (2, 2), (2, 2), (3, 3), (4, 4)]


def test_the_checkpoint_is_there_when_an_epoch_is_told_of(fit, tmp_path):
    found = []
    fit(epochs=3, on_epoch=lambda _: found.append(read_progress(tmp_path / "run" / CHECKPOINT).epoch))
    assert found == [0, 1, 2, 3]


SCORES = [1.0, 5.0, 3.0, 5.0, 4.0, 9.0]  # the best of the first five is the second; an equal one is not better


def test_training_stops_when_patience_is_at_an_end(fit):
    _, progress = fit(scores=SCORES, patience=2)
    assert (progress.epoch, progress.best_epoch, progress.best_score) == (4, 2, 5.0)
    assert progress.stopped_early


def test_without_patience_training_goes_on_to_the_end(fit):
    _, progress = fit(scores=SCORES, epochs=6)
    assert (progress.epoch, progress.best_epoch, progress.best_score) == (6, 6, 9.0)
    assert not progress.stopped_early


def test_a_run_that_stopped_stays_so_unless_given_more_patience(fit):
    fit(scores=SCORES, patience=2)
    _, progress = fit(scores=SCORES, patience=2, callbacks=[Interrupt(4, 0)])
    assert progress.epoch == 4
    _, progress = fit(scores=SCORES, patience=4, epochs=6)
    assert (progress.epoch, progress.best_epoch, progress.stopped_early) == (6, 6, False)


def test_patience_counts_across_an_interruption(fit):
    with pytest.raises(KeyboardInterrupt):
        fit(scores=SCORES, patience=2, callbacks=[Interrupt(3)])
    _, progress = fit(scores=SCORES, patience=2)
    assert (progress.epoch, progress.stopped_early) == (4, True)


def test_the_best_weights_are_those_of_the_best_score_averaged(fit, tmp_path, make_model):
    scores, seen = [1.0, 5.0, 3.0, 4.0], {}

    class Averages(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen[epoch + 1] = [np.asarray(v).copy() for v in self.model.optimizer._model_variables_moving_average]

    last, progress = fit(scores=scores, epochs=4, callbacks=[Averages()])
    assert progress.best_epoch == 2
    best = make_model()
    load_weights(tmp_path / "run" / BEST_WEIGHTS, best)
    for found, expected, trained in zip(best.trainable_variables, seen[2], last.trainable_variables, strict=True):
        assert_allclose(np.asarray(found), expected)
        assert np.abs(np.asarray(found) - np.asarray(trained)).max() > 1e-3


def test_scoring_sees_averaged_weights_and_training_goes_on_with_its_own(fit, make_model, make_batches, tmp_path):
    model, seen = make_model(eager=True), []

    def validate():
        averages = model.optimizer._model_variables_moving_average
        pairs = zip(model.trainable_variables, averages, strict=True)
        seen.append(all(np.array_equal(np.asarray(one), np.asarray(other)) for one, other in pairs))
        return {"score": 0.0}

    fit_resumably(model, feed_epochs(make_batches), validate, tmp_path / "seen", epochs=3, score="score")
    assert seen == [True] * 3
    unscored, _ = fit(epochs=3)
    for one, other in zip(model.trainable_variables, unscored.trainable_variables, strict=True):
        assert_allclose(np.asarray(one), np.asarray(other), atol=1e-6)


def test_averaging_is_looked_at_and_changes_nothing_of_the_training(make_model, make_batches, tmp_path):
    """Keras would put the average in the place of the weights at the end of each epoch, and go on from there."""
    ends = []
    for averaging in (0.0, 0.9):
        model = make_model(averaging=averaging, eager=True)
        fit_resumably(
            model,
            feed_epochs(make_batches),
            dict,
            tmp_path / str(averaging),
            epochs=3,
            score=None,
        )
        ends.append([np.asarray(variable) for variable in model.trainable_variables])
    for one, other in zip(*ends, strict=True):
        assert_allclose(one, other, atol=1e-6)


def test_without_a_score_the_last_epoch_is_kept_averaged(fit, tmp_path, make_model):
    with pytest.raises(KeyboardInterrupt):
        fit(score=None, scores=SCORES, epochs=3, callbacks=[Interrupt(2)])
    model, progress = fit(score=None, scores=SCORES, epochs=3, patience=1)
    assert (progress.epoch, progress.best_epoch, progress.stopped_early) == (3, 3, False)
    kept = make_model()
    load_weights(tmp_path / "run" / BEST_WEIGHTS, kept)
    averages = model.optimizer._model_variables_moving_average
    for one, other in zip(kept.trainable_variables, averages, strict=True):
        assert_allclose(np.asarray(one), np.asarray(other), atol=1e-6)


def test_any_score_is_better_than_none_that_is_a_number(fit):
    nan = math.nan
    _, progress = fit(scores=[nan, nan, 2.0, nan, 1.0, 1.0], patience=3, epochs=6)
    assert (progress.best_epoch, progress.best_score, progress.epoch) == (3, 2.0, 6)


def test_scores_that_are_no_numbers_use_up_patience(fit):
    _, progress = fit(scores=[math.nan] * 5, patience=2)
    assert (progress.best_epoch, progress.epoch, progress.stopped_early) == (1, 3, True)


def test_a_checkpoint_of_another_model_is_refused(fit, tmp_path, make_model, make_batches):
    fit(epochs=1)
    with pytest.raises(ModelError, match="new run directory"):
        fit_resumably(make_model(units=4), make_batches, dict, tmp_path / "run", epochs=2, score="score")


def test_the_history_file_holds_one_line_an_epoch(tmp_path):
    path = tmp_path / "metrics.jsonl"
    write_history(path, [{"epoch": 1, "loss": 2.5}])
    write_history(path, [{"epoch": 1, "loss": 2.5}, {"epoch": 2, "loss": 1.25}])
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"epoch": 1, "loss": 2.5},
        {"epoch": 2, "loss": 1.25},
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.jsonl"]
