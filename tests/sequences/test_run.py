import pytest

from ostinato.config import write_config
from ostinato.errors import ConfigError, DataError
from ostinato.sequences.config import StreamConfig
from ostinato.sequences.run import StreamRun


@pytest.fixture
def run(tmp_path):
    StreamRun(tmp_path).write_prepared(StreamConfig(), "fingerprint", StreamConfig(), labels=["background", "nod"])
    return StreamRun(tmp_path)


def test_labels_and_sequences_are_those_of_the_preparation(run):
    assert run.labels == ("background", "nod")
    assert run.store.folder == run.folder


def test_a_folder_that_was_not_prepared_has_no_labels(tmp_path):
    with pytest.raises(DataError, match="run `prepare` first"):
        _ = StreamRun(tmp_path).labels


def begin(run, config):
    write_config(run.config_path, config)
    folder = run.phase_folder("training")
    folder.mkdir(parents=True)
    (folder / "checkpoint.npz").touch()


@pytest.mark.parametrize("changes", [{"units": 5}, {"recurrent": False}, {"averaging": 0.0}])
def test_a_network_that_has_begun_to_learn_keeps_its_shape(run, changes):
    begin(run, StreamConfig())
    with pytest.raises(ConfigError, match=next(iter(changes))):
        run.check_resumes(StreamConfig(**changes))


def test_how_it_goes_on_learning_may_change(run):
    begin(run, StreamConfig())
    run.check_resumes(StreamConfig(epochs=99, dropout=0.1, averaging=0.9))


def test_what_has_not_begun_may_change_altogether(run):
    write_config(run.config_path, StreamConfig())
    run.check_resumes(StreamConfig(units=5))


def test_settings_are_the_defaults_until_training_has_begun(run):
    assert run.read_train_config() == StreamConfig()
    begin(run, StreamConfig(units=5))
    assert run.read_train_config().units == 5
