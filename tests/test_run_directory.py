import dataclasses
import logging
from typing import ClassVar

import pytest

from ostinato.config import write_config
from ostinato.errors import ConfigError, DataError
from ostinato.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class Settings:
    units: int = 3
    languages: tuple[str, ...] = ("de", "fr")


@dataclasses.dataclass(frozen=True)
class Counts:
    rows: int = 7


class TeaRun(RunDirectory):
    application: ClassVar[str] = "tea"


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "run")


def test_a_folder_that_is_not_prepared_is_refused(run):
    assert not run.is_prepared_from("5")
    with pytest.raises(DataError, match="is no prepared run directory; run `prepare` first"):
        _ = run.prepared


def test_what_was_prepared_is_known_by_its_fingerprint(run):
    run.write_prepared(Settings(), "5", Counts(), order=["dé"])
    assert run.prepared == {
        "config": {"units": 3, "languages": ["de", "fr"]},
        "fingerprint": "5",
        "counts": {"rows": 7},
        "order": ["dé"],
    }
    assert run.is_prepared_from("5")
    with pytest.raises(DataError, match="was prepared from other data or settings; name a new --run"):
        run.is_prepared_from("7")


def test_a_damaged_record_is_one_sentence(run):
    run.write_prepared(Settings(), "5", Counts())
    run.prepared_path.write_text(run.prepared_path.read_text()[:9])
    with pytest.raises(DataError, match=r"prepared\.json is damaged"):
        run.is_prepared_from("5")


def test_a_setting_that_training_began_with_stays(run):
    write_config(run.config_path, Settings())
    run.check_unchanged(Settings(), ["units", "languages"])
    run.check_unchanged(Settings(units=5), ["languages"])
    with pytest.raises(ConfigError, match="was begun with units = 3, not 5; keep it"):
        run.check_unchanged(Settings(units=5), ["languages", "units"])


def test_a_phase_has_begun_with_its_first_checkpoint(run):
    run.phase_folder("early").mkdir(parents=True)
    assert run.begun_phases() == set()
    (run.phase_folder("early") / "checkpoint.npz").touch()
    assert run.begun_phases() == {"early"}


def test_the_log_has_what_library_and_application_report_while_its_context_lasts(tmp_path):
    run = TeaRun(tmp_path)
    for text in ("first", "second"):
        with run.log():
            logging.getLogger("ostinato.training.fit").info("%s epoch", text)
            logging.getLogger("tea.kettle").info("%s cup", text)
    logging.getLogger("ostinato.training.fit").info("third epoch")
    lines = run.log_path.read_text(encoding="utf-8").splitlines()
    assert [line.split()[-2:] for line in lines] == [
        ["first", "epoch"],
        ["first", "cup"],
        ["second", "epoch"],
        ["second", "cup"],
    ]


def test_an_event_of_the_library_is_logged_once_where_no_application_is_named(run):
    run.folder.mkdir()
    with run.log():
        logging.getLogger("ostinato.training.fit").info("epoch")
    assert len(run.log_path.read_text(encoding="utf-8").splitlines()) == 1
    assert logging.getLogger("ostinato").handlers == []
