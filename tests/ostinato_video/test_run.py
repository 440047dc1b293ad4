import pytest

from ostinato.config import write_config
from ostinato.errors import ConfigError, DataError
from ostinato_video.config import PrepareConfig, TrainConfig
from ostinato_video.run import Run

CONFIG = PrepareConfig(frame_rate=7.5, parts=("change", "appearance"), group_by="day")


@pytest.fixture
def run(tmp_path):
    Run(tmp_path).write_prepared(CONFIG, "fingerprint", TrainConfig(), labels=["background", "nod"])
    return Run(tmp_path)


def test_labels_and_settings_are_those_of_the_preparation(run):
    assert run.labels == ("background", "nod")
    assert run.prepare_config == CONFIG
    assert run.store.folder == run.folder


def test_a_folder_that_was_not_prepared_has_no_labels(tmp_path):
    with pytest.raises(DataError, match="run `prepare` first"):
        _ = Run(tmp_path).labels


def begin(run, config):
    write_config(run.config_path, config)
    folder = run.phase_folder("training")
    folder.mkdir(parents=True)
    (folder / "checkpoint.npz").touch()


@pytest.mark.parametrize("changes", [{"units": 5}, {"recurrent": False}, {"averaging": 0.0}])
def test_a_network_that_has_begun_to_learn_keeps_its_shape(run, changes):
    begin(run, TrainConfig())
    with pytest.raises(ConfigError, match=next(iter(changes))):
        run.check_resumes(TrainConfig(**changes))


def test_how_it_goes_on_learning_may_change(run):
    begin(run, TrainConfig())
    run.check_resumes(TrainConfig(epochs=99, dropout=0.1, averaging=0.9))


def test_what_has_not_begun_may_change_altogether(run):
    write_config(run.config_path, TrainConfig())
    run.check_resumes(TrainConfig(units=5))
