import logging
import threading
import time

import pytest

from ostinato.errors import ModelError
from ostinato.serving import repository as repository_module
from ostinato.serving.errors import ServingError
from ostinato.serving.repository import ModelConfig, ModelRepository


class FakeServable:
    def __init__(self, folder):
        self.path = folder


def load(folder):
    if (folder / "weights").read_text() == "broken":
        raise ModelError(f"the model in {folder} is damaged; export it again")
    return FakeServable(folder)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "caption"


def write(folder, version, text="good"):
    version_folder = folder / str(version)
    version_folder.mkdir(parents=True, exist_ok=True)
    (version_folder / "weights").write_text(text)


def repository(folder, load=load, **config):
    return ModelRepository({"caption": ModelConfig(folder, **config)}, load=load)


def states(models):
    return {status.version: status.state for status in models.status("caption")}


def test_the_newest_version_is_served_and_folders_without_a_number_are_not(folder):
    for version in ("2", "10", "9", "eleven", ".12.partial-7", "١٣"):
        write(folder, version)
    models = repository(folder)
    models.poll()
    assert states(models) == {10: "AVAILABLE"}
    with models.use("caption") as served:
        assert served.version == 10
    assert models.is_ready


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"latest": 2}, {3, 4}),
        ({"latest": None}, {1, 2, 3, 4}),
        ({"specific": (1, 3, 7), "latest": None}, {1, 3}),
    ],
)
def test_the_policy_says_which_versions_are_served(folder, config, expected):
    for version in (1, 2, 3, 4):
        write(folder, version)
    models = repository(folder, **config)
    models.poll()
    assert states(models) == dict.fromkeys(expected, "AVAILABLE")


def test_labels_lead_to_versions(folder):
    write(folder, 1)
    write(folder, 2)
    models = repository(folder, latest=2, labels={"stable": 1, "gone": 5})
    models.poll()
    with models.use("caption", label="stable") as served:
        assert served.version == 1
    assert [status.version for status in models.status("caption", label="stable")] == [1]
    with pytest.raises(ServingError, match="Unrecognized servable version label: canary") as raised:
        models.acquire("caption", label="canary")
    assert raised.value.code == "INVALID_ARGUMENT"
    with pytest.raises(ServingError, match=r"Specific\(caption, 5\)"):
        models.acquire("caption", label="gone")


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("other", None, "Servable not found for request: Latest(other)"),
        ("other", 3, "Servable not found for request: Specific(other, 3)"),
        ("caption", 3, "Servable not found for request: Specific(caption, 3)"),
    ],
)
def test_what_is_not_there_is_not_found(folder, name, version, message):
    write(folder, 1)
    models = repository(folder)
    models.poll()
    with pytest.raises(ServingError) as raised:
        models.acquire(name, version)
    assert (raised.value.code, raised.value.message) == ("NOT_FOUND", message)


def test_a_new_version_is_loaded_before_the_old_one_drains_and_goes(folder):
    write(folder, 1)
    seen, freed = [], []

    def watching_load(path):
        seen.append(states(models))
        return load(path)

    models = ModelRepository(
        {"caption": ModelConfig(folder)}, load=watching_load, on_free=lambda served: freed.append(served.version)
    )
    models.poll()
    running = models.acquire("caption")
    write(folder, 2)
    models.poll()
    assert seen[-1] == {1: "AVAILABLE", 2: "LOADING"}
    assert states(models) == {2: "AVAILABLE", 1: "UNLOADING"}
    with models.use("caption") as served:
        assert served.version == 2
    with pytest.raises(ServingError, match=r"Specific\(caption, 1\)"):  # it takes no new requests
        models.acquire("caption", 1)
    assert running.servable.path == folder / "1"  # and finishes those that it has begun
    assert freed == []
    models.release(running)
    assert freed == [1]
    assert states(models) == {2: "AVAILABLE", 1: "END"}


def test_a_broken_version_is_passed_over_logged_once_and_tried_again_when_it_changed(folder, caplog):
    write(folder, 1)
    write(folder, 2, "broken")
    models = repository(folder)
    for _ in range(3):
        models.poll()
    with models.use("caption") as served:
        assert served.version == 1
    (broken, _) = models.status("caption")
    assert (broken.version, broken.state, broken.error_code) == (2, "END", "INVALID_ARGUMENT")
    assert broken.error_message == "the model in caption/2 is damaged; export it again"  # no path of this machine
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    write(folder, 2, "whole now")
    models.poll()  # the copying may go on
    assert states(models)[1] == "AVAILABLE"
    models.poll()
    assert states(models) == {2: "AVAILABLE", 1: "END"}


def test_a_version_that_was_removed_while_it_was_used_finishes_its_requests(folder):
    write(folder, 1)
    write(folder, 2)
    models = repository(folder)
    models.poll()
    running = models.acquire("caption")
    (folder / "2/weights").unlink()
    (folder / "2").rmdir()
    models.poll()
    assert states(models) == {2: "UNLOADING", 1: "AVAILABLE"}
    assert running.servable.path == folder / "2"
    models.release(running)
    assert states(models)[2] == "END"


def test_an_empty_folder_ends_its_versions_and_a_missing_one_does_not(folder, tmp_path):
    write(folder, 1)
    models = repository(folder)
    models.poll()
    folder.rename(tmp_path / "away")
    models.poll()
    assert states(models) == {1: "AVAILABLE"}
    folder.mkdir()
    models.poll()
    assert states(models) == {1: "END"}
    assert not models.is_ready
    write(folder, 1)
    models.poll()
    assert states(models) == {1: "AVAILABLE"}


def test_the_folders_are_watched_and_stopping_waits_for_what_is_running(folder):
    write(folder, 1)
    models = ModelRepository({"caption": ModelConfig(folder)}, load=load, poll_seconds=0.01)
    models.start()
    write(folder, 2)
    deadline = time.monotonic() + 5
    while states(models) != {1: "END", 2: "AVAILABLE"} and time.monotonic() < deadline:
        time.sleep(0.01)
    running = models.acquire("caption")
    stopping = threading.Thread(target=models.stop, args=(5,))
    stopping.start()
    time.sleep(0.02)
    assert stopping.is_alive()
    assert states(models)[2] == "UNLOADING"
    models.release(running)
    stopping.join(5)
    assert not stopping.is_alive()
    assert states(models) == {1: "END", 2: "END"}


def test_a_model_without_versions_is_not_found(folder):
    models = repository(folder)
    models.poll()
    with pytest.raises(ServingError, match="Could not find any versions of model caption"):
        models.status("caption")
    write(folder, 1)
    models.poll()
    with pytest.raises(ServingError, match="Could not find version 2 of model caption"):
        models.status("caption", 2)


def test_a_folder_that_cannot_be_read_is_logged_and_its_versions_go_on(folder, monkeypatch, caplog):
    write(folder, 1)
    models = repository(folder)
    models.poll()

    def closed(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(repository_module, "versions_in", closed)
    models.poll()
    assert states(models) == {1: "AVAILABLE"}
    assert "its folder cannot be read (Permission denied)" in caplog.text
