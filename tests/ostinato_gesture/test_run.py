import pytest

from ostinato.config import write_config
from ostinato.errors import ConfigError
from ostinato_gesture.config import PrepareConfig, TrainConfig
from ostinato_gesture.run import Run


@pytest.fixture
def run(tmp_path):
    config = PrepareConfig(frame_rate=25.0, background_label="rest")
    Run(tmp_path).write_prepared(config, "fingerprint", TrainConfig(), labels=["rest", "nod"], kind="features")
    return Run(tmp_path)


def test_kind_labels_and_settings_are_those_of_the_preparation(run):
    assert (run.kind, run.labels, run.none) == ("features", ("rest", "nod"), "rest")
    assert run.prepare_config.frame_rate == 25.0
    assert run.train_config == TrainConfig()


def test_what_the_network_sees_cannot_change_once_it_learns(run):
    write_config(run.config_path, TrainConfig(differences=True))
    folder = run.phase_folder("training")
    folder.mkdir(parents=True)
    (folder / "checkpoint.npz").touch()
    run.check_resumes(TrainConfig(differences=True, rotation=1.0))
    with pytest.raises(ConfigError, match="differences"):
        run.check_resumes(TrainConfig(differences=False))
