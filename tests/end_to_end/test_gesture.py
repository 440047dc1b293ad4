"""Every verb of `ostinato-gesture` through the command line, from an archive of sensors to events.

Hands in videos are tested beside the modules that find them; here the sequences come from a glove that does not exist.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from ostinato.commands import run_application
from ostinato_gesture.cli import app

LABELS = ("circle", "push", "wave")
PEOPLE = ("ada", "bo", "cy")
NUM_FEATURES, RATE = 5, 10


def gesture(label, generator):
    """Some 14 frames that one glance tells apart."""
    place = np.linspace(0, 2 * np.pi, int(generator.integers(12, 17)))
    paths = {
        "circle": (np.cos(place), np.sin(place)),
        "push": (place / 6, -place / 6),
        "wave": (np.sin(3 * place), 0 * place - 1),
    }
    frames = np.zeros((len(place), NUM_FEATURES), np.float32)
    frames[:, 0], frames[:, 1] = paths[label]
    return 2 * frames + generator.normal(scale=0.05, size=frames.shape).astype(np.float32)


@pytest.fixture(scope="session")
def sensors(tmp_path_factory):
    """Four clips of each gesture by each of three people, and a recording with one gesture of each kind."""
    folder, generator = tmp_path_factory.mktemp("sensors"), np.random.default_rng(4)
    rows = [(label, person) for label in LABELS for person in PEOPLE for _ in range(4)]
    clips = [gesture(label, generator) for label, _ in rows]
    np.savez(
        folder / "clips.npz",
        features=np.concatenate(clips),
        lengths=[len(clip) for clip in clips],
        labels=[label for label, _ in rows],
        groups=[person for _, person in rows],
    )
    parts, events, start = [], ["recording,start_frame,end_frame,label"], 0
    for label in LABELS:
        rest, made = np.zeros((25, NUM_FEATURES), np.float32), gesture(label, generator)
        start += len(rest)
        events.append(f"long,{start},{start + len(made)},{label}")
        start += len(made)
        parts += [rest, made]
    recording = np.concatenate(parts)
    np.savez(folder / "recordings.npz", features=recording, lengths=[len(recording)], names=["long"])
    (folder / "events.csv").write_text("\n".join(events) + "\n")
    return folder


@pytest.fixture
def say(capsys):
    """Runs a command line in this process; returns exit code, standard output and standard error."""

    def call(*words):
        code = run_application(app, [str(word) for word in words])
        return code, *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def run(sensors, tmp_path_factory):
    """A trained run directory."""
    folder = tmp_path_factory.mktemp("gestures") / "run"
    words = ("prepare", "--data", sensors / "clips.npz", "--run", folder, "--frame-rate", RATE)
    assert run_application(app, [str(word) for word in words]) == 0
    network = ("--units", 24, "--projection-size", 24, "--points", "0:1")
    learning = ("--epochs", 14, "--window", 64, "--learning-rate", 0.01, "--averaging", 0.8, "--folds", 0)
    training = ("train", "--run", folder, *network, *learning, "--joined", 0.5, "--hold", 0)
    assert run_application(app, [str(word) for word in training]) == 0
    return folder


@pytest.fixture(scope="session")
def exported(run, tmp_path_factory):
    """The folder of all versions, with one in it."""
    folder = tmp_path_factory.mktemp("exported") / "glove"
    words = ("export", "--run", run, "--output", folder, "--terms", "made up", "--rise", 0.5)
    assert run_application(app, [str(word) for word in words]) == 0
    return folder


def test_training_leaves_a_record_of_each_epoch(run):
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == list(range(1, 15))
    assert records[-1]["loss"] < 0.7 * records[0]["loss"]


def test_training_again_is_no_work_and_another_network_is_refused(run, say):
    before = (run / "model.npz").read_bytes()
    assert say("train", "--run", run, "--config", run / "train.toml")[0] == 0
    assert (run / "model.npz").read_bytes() == before
    code, out, err = say("train", "--run", run, "--config", run / "train.toml", "--units", 30)
    assert (code, out) == (2, "")
    assert "units" in err


def test_exporting_leaves_a_version_with_its_proof_and_the_step_for_litert(exported):
    version = exported / "1"
    assert json.loads((version / "proof.json").read_text())
    facts = json.loads((version / "interface.json").read_text())["metadata"]
    assert facts["labels"] == ["none", *LABELS]
    assert facts["data_terms"] == "made up"
    assert (version / "assets.extra" / "gesture_step.tflite").stat().st_size > 1000


def test_people_who_are_held_out_in_turn_are_understood(run, say):
    code, out, _ = say("evaluate", "--run", run, "--leave-one-out", "--format", "json")
    scores = json.loads(out)
    assert code == 0
    assert [fold["name"] for fold in scores["folds"]] == list(PEOPLE)
    assert scores["scores"]["accuracy"] >= 75
    assert scores["scores"]["clips_told"] >= 50
    assert (run / "cross_validation.json").exists()


def test_the_exported_model_scores_clips_and_the_events_of_recordings(sensors, exported, say, tmp_path):
    words = ("evaluate", "--model", exported, "--split", "all", "--format", "json")
    code, out, _ = say(*words, "--data", sensors / "clips.npz", "--confusion", tmp_path / "confusion.png")
    assert code == 0
    assert json.loads(out)["accuracy"] >= 90
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
    code, out, _ = say(*words, "--data", sensors / "recordings.npz", "--events", sensors / "events.csv")
    assert code == 0
    assert json.loads(out)["event_recall"] >= 66


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_events_are_told_in_each_format(sensors, exported, say, form):
    code, out, err = say("predict", sensors / "recordings.npz", "--model", exported, "--format", form)
    assert (code, err) == (0, "")
    assert sum(label in out for label in LABELS) >= 2


def test_the_same_is_told_of_the_version_and_by_the_run_itself(sensors, run, exported, say):
    clips = sensors / "clips.npz"
    _, exported_says, _ = say(
        "evaluate", "--model", exported / "1", "--data", clips, "--split", "all", "--format", "json"
    )
    _, run_says, _ = say("evaluate", "--run", run, "--data", clips, "--split", "all", "--format", "json")
    assert json.loads(exported_says)["accuracy"] == json.loads(run_says)["accuracy"]


def test_the_network_is_timed(exported, say):
    code, out, _ = say("bench", "--model", exported, "--frames", 50, "--format", "json")
    assert code == 0
    assert 0 < json.loads(out)["network_ms"] <= json.loads(out)["network_p95_ms"]


def test_a_bad_archive_loses_no_good_one(sensors, exported, say, tmp_path):
    (tmp_path / "bad.npz").write_bytes((sensors / "clips.npz").read_bytes()[:900])
    words = ("predict", tmp_path / "bad.npz", sensors / "recordings.npz", "--model", exported, "--format", "json")
    code, out, err = say(*words)
    assert code == 1
    assert [Path(json.loads(line)["recording"]).name for line in out.splitlines()] == ["recordings.npz:long"]
    assert "bad.npz cannot be read" in err
