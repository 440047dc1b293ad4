import logging
import shutil

import pytest

from ostinato.config import write_config
from ostinato.errors import ConfigError, DataError
from ostinato_caption.run import Run


def test_a_folder_that_is_not_prepared_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path, tmp_path / "none", tmp_path / "file"):
        with pytest.raises(DataError, match="is no prepared run directory; run `prepare` first"):
            _ = Run(folder).prepared


def test_a_damaged_record_is_one_sentence(run):
    run.prepared_path.write_text('{"config"')
    with pytest.raises(DataError, match=r"prepared\.json is damaged"):
        _ = Run(run.folder).prepared


def test_a_split_without_photos_is_refused(run):
    with pytest.raises(DataError, match="no photos of the split 'holiday'"):
        run.rows("holiday")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, False),
        ({"epochs": 9, "dropout": 0.7, "learning_rate": 0.1, "seed": 4, "averaging": 0.9}, False),
        ({"units": 13}, True),
        ({"decoders": 3}, True),
        ({"attention": "additive"}, True),
        ({"averaging": 0.0}, True),
        ({"fine_tune_blocks": 3}, False),
    ],
)
def test_what_the_checkpoints_depend_on_cannot_be_changed(run, settings, changes, refused):
    run.check_resumes(settings(**changes))  # nothing has begun
    write_config(run.config_path, settings())
    run.phase_folder("frozen").mkdir(parents=True)
    shutil.copy(run.tokenizer_path, run.phase_folder("frozen") / "checkpoint.npz")
    if refused:
        (name,) = changes
        with pytest.raises(ConfigError, match=f"was begun with {name} = "):
            run.check_resumes(settings(**changes))
    else:
        run.check_resumes(settings(**changes))


def test_the_learning_blocks_are_fixed_once_fine_tuning_has_begun(run, settings):
    write_config(run.config_path, settings())
    run.phase_folder("fine_tune").mkdir(parents=True)
    (run.phase_folder("fine_tune") / "checkpoint.npz").touch()
    with pytest.raises(ConfigError, match="fine_tune_blocks = 1, not 3"):
        run.check_resumes(settings(fine_tune_blocks=3))


def test_the_log_is_written_while_its_context_lasts(run):
    for text in ("first", "second"):
        with run.log():
            logging.getLogger("ostinato.training.fit").info("%s epoch", text)
    logging.getLogger("ostinato.training.fit").info("third epoch")
    lines = run.log_path.read_text().splitlines()
    assert [line.split()[-2:] for line in lines] == [["first", "epoch"], ["second", "epoch"]]
