"""An image network that learns too, and what the verbs make of it."""

import json
import shutil

import numpy as np
import pytest


@pytest.fixture(scope="module")
def frozen(run, prepared, settings, tmp_path_factory):
    """A run in which the image network has learned nothing; without recurrence, which would take longer."""
    folder = shutil.copytree(prepared[0], tmp_path_factory.mktemp("frozen") / "run")
    changed = folder.parent / "tiny.toml"
    changed.write_text(f"{settings.read_text()}recurrent = false\n")
    assert run("train", "--run", folder, "--config", changed).code == 0
    return folder


@pytest.fixture(scope="module")
def fine_tuned(run, frozen, tmp_path_factory):
    """That run, gone on with into the second phase."""
    folder = shutil.copytree(frozen, tmp_path_factory.mktemp("fine_tuned") / "run")
    words = ("--fine-tune-blocks", 1, "--fine-tune-epochs", 2, "--fine-tune-learning-rate", 0.02)
    return folder, run("train", "--run", folder, *words)


def test_the_image_network_is_fine_tuned_in_a_second_phase(run, fine_tuned):
    folder, result = fine_tuned
    assert result.code == 0
    first, *epochs, last = result.err.splitlines()
    assert first.startswith("training: goes on after epoch 10/10")
    assert [line.split("  ")[0] for line in epochs] == ["fine_tune: epoch 1/2", "fine_tune: epoch 2/2"]
    assert "of 2 of phase fine_tune" in last
    phases = [json.loads(line)["phase"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert phases == ["training"] * 10 + ["fine_tune"] * 2
    again = run("train", "--run", folder)
    assert (again.code, again.err.count("goes on after")) == (0, 2)


def test_all_verbs_use_the_image_network_that_was_fine_tuned(run, fine_tuned, frozen, data, video, tmp_path):
    folder, _ = fine_tuned
    words = ("evaluate", "--data", data, "--format", "json", "--output")
    assert run(*words, tmp_path / "run.jsonl", "--run", folder).code == 0
    exported = run("export", "--run", folder, "--output", tmp_path / "tuned", "--min-seconds", 0.2, "--switch-cost", 1)
    assert exported.code == 0
    assert run(*words, tmp_path / "export.jsonl", "--model", tmp_path / "tuned").code == 0
    assert run(*words, tmp_path / "frozen.jsonl", "--run", frozen).code == 0
    confidences = [
        [json.loads(line)["confidence"] for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        for name in ("run", "export", "frozen")
    ]
    assert confidences[0] == pytest.approx(confidences[1], abs=5e-3)
    assert np.abs(np.subtract(confidences[0], confidences[2])).max() > 0.01
    interface = json.loads((tmp_path / "tuned" / "1" / "interface.json").read_text())
    assert interface["metadata"]["fine_tuned_blocks"] == 1
    assert run("predict", video, "--model", tmp_path / "tuned").out.startswith(f"{video}: green")


def test_folds_of_a_run_that_fine_tunes_are_fine_tuned(run, fine_tuned, tmp_path):
    folder = shutil.copytree(fine_tuned[0], tmp_path / "run")
    result = run("evaluate", "--run", folder, "--hold-out", "thursday", "--format", "json")
    assert (result.code, result.err) == (0, "")
    assert result.records[0]["scores"]["num_clips"] == 3


def test_what_cannot_be_fine_tuned_is_one_sentence(run, fine_tuned, prepared, tmp_path):
    result = run("train", "--run", fine_tuned[0], "--fine-tune-blocks", 0)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "fine_tune_blocks = 1, not 0" in result.err
    folder = shutil.copytree(prepared[0], tmp_path / "run")
    records = (folder / "sequences.jsonl").read_text().replace("monday blue.mp4", "gone blue.mp4")
    (folder / "sequences.jsonl").write_text(records)
    result = run("train", "--run", folder, "--fine-tune-blocks", 1)
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "gone blue.mp4; put them back" in result.err
    assert not (folder / "train.toml").exists()
