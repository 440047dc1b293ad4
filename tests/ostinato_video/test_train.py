import dataclasses
import json
import shutil

import numpy as np
import pytest

from ostinato.config import write_config
from ostinato.errors import ConfigError, DataError, ModelError
from ostinato.training import Watcher
from ostinato_video.config import TrainConfig
from ostinato_video.model import load_trained
from ostinato_video.run import Run
from ostinato_video.train import Training

SHORT = TrainConfig(
    recurrent=False,
    units=5,
    projection_size=4,
    epochs=2,
    averaging=0.5,
    fine_tune_blocks=1,
    fine_tune_epochs=3,
    fine_tune_learning_rate=0.02,
    fine_tune_batch_size=2,
    fine_tune_window=9,
)


class InterruptionError(Exception):
    """Stands in for whatever ends a process."""


@pytest.fixture(autouse=True)
def use_quick_network(quick_network):
    """None of these tests needs the real one."""


@pytest.fixture
def copied(completed_run, tmp_path):
    """Makes copies of a prepared run."""

    def copy(name):
        folder = shutil.copytree(completed_run.folder, tmp_path / name)
        (folder / "model.npz").unlink()
        (folder / "train.toml").unlink()
        return Run(folder)

    return copy


def trained(run, config=SHORT, watcher=None):
    write_config(run.config_path, config)
    return Training(run, config, watcher)()


def test_a_run_that_was_stopped_while_it_was_fine_tuned_ends_like_one_that_was_not(copied):
    def interrupt(phase, progress):
        if (phase, progress.epoch) == ("fine_tune", 2):
            raise InterruptionError

    stopped, whole = copied("stopped"), copied("whole")
    with pytest.raises(InterruptionError):
        trained(stopped, watcher=Watcher(on_epoch=interrupt))
    with pytest.raises(ModelError, match="has not been fine-tuned to the end; run `train` again"):
        load_trained(Run(stopped.folder))
    resumed, expected = trained(Run(stopped.folder)), trained(whole)
    assert [(record["phase"], record["epoch"]) for record in resumed] == [
        *(("training", epoch) for epoch in (1, 2)),
        *(("fine_tune", epoch) for epoch in (1, 2, 3)),
    ]
    assert resumed == [json.loads(line) for line in stopped.metrics_path.read_text().splitlines()]
    for one, other in zip(resumed, expected, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-4)
        assert one["macro_f1"] == pytest.approx(other["macro_f1"], abs=1e-3)
    with np.load(stopped.fine_tuned_path) as first, np.load(whole.fine_tuned_path) as second:
        for name in second:
            np.testing.assert_allclose(first[name], second[name], atol=1e-5)
    weights = [np.asarray(weight) for weight in load_trained(whole).weights]
    with np.load(whole.fine_tuned_path) as saved:
        assert all(np.array_equal(weight, saved[f"weight_{i}"]) for i, weight in enumerate(weights))


def test_the_last_phase_decides_on_what_is_kept(copied):
    run = copied("run")
    training = Training(run, SHORT)
    records = [
        {"phase": "training", "epoch": 1, "macro_f1": 90.0},
        {"phase": "fine_tune", "epoch": 1, "macro_f1": 70.0},
        {"phase": "fine_tune", "epoch": 2, "macro_f1": 80.0},
    ]
    assert training.told(records) == "best macro-F1 80.0 in epoch 2 of 2 of phase fine_tune"
    without = Training(run, dataclasses.replace(SHORT, fine_tune_blocks=0))
    assert without.told(records[:1]) == "best macro-F1 90.0 in epoch 1 of 1"


def test_without_blocks_or_epochs_there_is_one_phase(copied):
    run = copied("run")
    assert [record["epoch"] for record in trained(run, dataclasses.replace(SHORT, fine_tune_epochs=0))] == [1, 2]
    assert run.begun_phases() == {"training"}
    assert not run.fine_tuned_path.exists()
    load_trained(run)


def test_what_has_been_fine_tuned_stays_so(copied):
    run = copied("run")
    folder = run.phase_folder("fine_tune")
    folder.mkdir(parents=True)
    (folder / "checkpoint.npz").touch()
    write_config(run.config_path, SHORT)
    with pytest.raises(ConfigError, match="phase fine_tune, which cannot be left out any more"):
        Training(run, dataclasses.replace(SHORT, fine_tune_epochs=0)).check_phases()
    for name, value in (("fine_tune_blocks", 2), ("fine_tune_batch_size", 3)):
        with pytest.raises(ConfigError, match=f"was begun with {name}"):
            run.check_resumes(dataclasses.replace(SHORT, **{name: value}))
    run.check_resumes(dataclasses.replace(SHORT, fine_tune_epochs=9, fine_tune_window=5))


def test_what_would_fail_after_the_first_phase_is_told_before_it(copied):
    run = copied("run")
    records = (run.folder / "sequences.jsonl").read_text().replace("monday_0.mp4", "gone.mp4")
    (run.folder / "sequences.jsonl").write_text(records)
    with pytest.raises(DataError, match=r"gone\.mp4; put them back"):
        Training(run, SHORT)()
    run.prepared["config"]["network"] = "MobileNetV2"
    with pytest.raises(ConfigError, match="not MobileNetV2; set --fine-tune-blocks 0"):
        Training(run, SHORT)()
    assert not run.begun_phases()
