import dataclasses
import functools
import json
import shutil

import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError
from ostinato.training import Watcher
from ostinato_translate.config import DecodingConfig, TrainConfig
from ostinato_translate.run import Run
from ostinato_translate.train import SELF_CRITICAL, TRAINING, Training, choose_directions

TINY = TrainConfig(
    directions=("en-de", "en-fr"),
    embedding_size=6,
    encoder_units=5,
    encoder_layers=1,
    units=7,
    attention_units=4,
    subword_alpha=0.2,
    tokens_per_batch=1000,
    warmup_updates=1,
    averaging=0.5,
    epochs=2,
    epochs_per_pass=1,
    self_critical_epochs=2,
    translations_per_sentence=2,
    precision="float32",
    validation_sentences=2,
)
PHASES = [(TRAINING, 1), (TRAINING, 2), (SELF_CRITICAL, 1), (SELF_CRITICAL, 2)]


class InterruptionError(Exception):
    """Stands in for whatever ends a process."""


def interrupted_after(stop):
    def on_epoch(phase, progress):
        if (phase, progress.epoch) == stop:
            raise InterruptionError

    return Watcher(on_epoch=on_epoch)


def written(run):
    return [json.loads(line) for line in run.metrics_path.read_text().splitlines()]


def test_a_run_that_was_stopped_ends_like_one_that_was_not(run, eager, monkeypatch, tmp_path):
    # It knows nothing and writes until it is stopped.
    monkeypatch.setattr(
        "ostinato_translate.train.DecodingConfig", functools.partial(DecodingConfig, max_length_ratio=0.01)
    )
    monkeypatch.setattr(DecodingConfig, "max_length_ratio", 0.01)  # for what is drawn
    heard = []
    watcher = Watcher(
        on_phase=lambda phase, num_updates: heard.append((phase, num_updates)),
        on_epoch=lambda phase, progress: heard.append((phase, progress.epoch)),
    )
    undisturbed = Run(shutil.copytree(run.folder, tmp_path / "undisturbed"))
    records = Training(undisturbed, TINY, watcher)()
    updates = [record["updates"] for record in records]
    assert [(record["phase"], record["epoch"]) for record in records] == PHASES
    assert [*heard[1:4], *heard[5:]] == [(TRAINING, 0), *PHASES[:2], (SELF_CRITICAL, 0), *PHASES[2:]]
    assert [heard[0], heard[4]] == [(TRAINING, updates[1]), (SELF_CRITICAL, updates[3])]
    assert all(record["loss"] for record in records), "what is drawn must differ, or there is nothing to learn"
    assert records == written(undisturbed)

    for stop in ((TRAINING, 1), (SELF_CRITICAL, 1)):
        with pytest.raises(InterruptionError):
            Training(run, TINY, interrupted_after(stop))()
    assert not run.model_path.exists()
    resumed = Training(Run(run.folder), TINY)()
    for one, other in zip(resumed, records, strict=True):
        names = one.keys() - {"phase", "seconds"}
        assert {name: one[name] for name in names} == pytest.approx(
            {name: other[name] for name in names}, rel=1e-3, abs=1e-4
        )
    with np.load(run.model_path) as first, np.load(undisturbed.model_path) as second:
        assert set(first) == set(second)
        for name in second:
            np.testing.assert_allclose(first[name], second[name], atol=1e-4)


@pytest.mark.parametrize("left_out", ["epochs", "self_critical_epochs"])
def test_a_phase_that_has_begun_cannot_be_left_out(run, left_out):
    (run.phase_folder(SELF_CRITICAL if left_out != "epochs" else TRAINING)).mkdir(parents=True)
    for folder in (run.folder / "checkpoints").iterdir():
        (folder / "checkpoint.npz").touch()
    with pytest.raises(ConfigError, match="cannot be left out any more; give it its epochs again"):
        Training(run, dataclasses.replace(TINY, **{left_out: 0}))()


def test_the_first_phase_alone_draws_nothing(run):
    assert Training(run, dataclasses.replace(TINY, self_critical_epochs=0)).batches.keys() == {TRAINING}
    both = Training(run, TINY).batches
    assert both[SELF_CRITICAL].tokens_per_batch == both[TRAINING].tokens_per_batch // 2


def test_a_language_that_was_not_prepared_is_named_with_those_that_were(run):
    with pytest.raises(ConfigError, match="en-cs asks for 'cs', but de, en, fr were prepared"):
        Training(run, dataclasses.replace(TINY, directions=("en-cs",)))


def test_data_without_validation_rows_are_refused(run):
    run.dev_path.write_text("")
    with pytest.raises(DataError, match="no training or no validation rows for en-de, en-fr; prepare data that has"):
        Training(run, TINY)


def test_all_directions_are_learnt_where_none_is_asked_for():
    assert choose_directions(["de", "en"], []) == [("de", "en"), ("en", "de")]
    assert choose_directions(["de", "en", "fr"], ["fr-de"]) == [("fr", "de")]


def test_validation_takes_the_directions_in_turns(run):
    training = Training(run, dataclasses.replace(TINY, validation_sentences=4))
    assert [pair[:2] for pair in training.dev_pairs] == [("en", "de"), ("en", "fr")] * 2
    assert len({pair[2] for pair in training.dev_pairs}) == 4, "other sentences before the same ones once more"
