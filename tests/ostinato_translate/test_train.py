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
from ostinato_translate.train import TRAINING, Training, choose_directions

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
    precision="float32",
    validation_sentences=2,
)


class InterruptionError(Exception):
    """Stands in for whatever ends a process."""


def interrupted_after(epoch):
    def on_epoch(phase, progress):
        if progress.epoch == epoch:
            raise InterruptionError

    return Watcher(on_epoch=on_epoch)


def written(run):
    return [json.loads(line) for line in run.metrics_path.read_text().splitlines()]


def test_a_run_that_was_stopped_ends_like_one_that_was_not(run, eager, monkeypatch, tmp_path):
    # It knows nothing and writes until it is stopped.
    monkeypatch.setattr(
        "ostinato_translate.train.DecodingConfig", functools.partial(DecodingConfig, max_length_ratio=0.01)
    )
    heard = []
    watcher = Watcher(
        on_phase=lambda phase, num_updates: heard.append((phase, num_updates)),
        on_epoch=lambda phase, progress: heard.append((phase, progress.epoch)),
    )
    undisturbed = Run(shutil.copytree(run.folder, tmp_path / "undisturbed"))
    records = Training(undisturbed, TINY, watcher)()
    updates = records[-1]["updates"]
    assert heard == [(TRAINING, updates), (TRAINING, 0), (TRAINING, 1), (TRAINING, 2)]
    assert [record["epoch"] for record in records] == [1, 2]
    assert records == written(undisturbed)

    with pytest.raises(InterruptionError):
        Training(run, TINY, interrupted_after(1))()
    assert not run.model_path.exists()
    resumed = Training(Run(run.folder), TINY)()
    for one, other in zip(resumed, records, strict=True):
        names = one.keys() - {"seconds"}
        assert {name: one[name] for name in names} == pytest.approx({name: other[name] for name in names}, rel=1e-3)
    with np.load(run.model_path) as first, np.load(undisturbed.model_path) as second:
        assert set(first) == set(second)
        for name in second:
            np.testing.assert_allclose(first[name], second[name], atol=1e-4)


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
