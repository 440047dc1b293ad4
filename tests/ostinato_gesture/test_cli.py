import json
import sys
import time

import numpy as np
import pytest

from ostinato.commands import run_application
from ostinato_gesture import cli  # noqa: F401  # where the verbs are
from ostinato_gesture.command import app


@pytest.fixture
def run(capsys):
    """Runs a command line; returns exit code, standard output and standard error."""

    def call(*words):
        code = run_application(app, [str(word) for word in words])
        output = capsys.readouterr()
        return code, output.out, output.err

    return call


@pytest.fixture
def as_model(rule_recognizer, painted_hands, monkeypatch):
    """`--model rule` is a model of images at 10 frames/s, `--model glove` one of other features."""
    from ostinato_gesture.gesture_recognizer import GestureRecognizer

    models = {"rule": rule_recognizer("landmarks", (2, 21, 3)), "glove": rule_recognizer()}
    monkeypatch.setattr(GestureRecognizer, "load", classmethod(lambda cls, model, server: models[model]))


@pytest.fixture
def glove(tmp_path):
    """An archive of two recordings: a gesture to the right, and none."""
    path = tmp_path / "glove.npz"
    frames = np.concatenate([np.repeat([0.0, 2.0, 0.0], [5, 10, 5]), np.zeros(6)])
    np.savez(path, features=frames[:, None] * np.full(4, 0.25), lengths=[20, 6], names=["point", "rest"])
    return path


def test_events_of_an_archive_are_printed_for_people(run, as_model, glove):
    code, out, err = run("predict", glove, "--model", "glove")
    assert (code, err) == (0, "")
    assert out.splitlines()[1].split() == ["0:00:00.50", "-", "0:00:01.40", "right", "(confidence", "1.00)"]
    assert out.splitlines()[4] == "  no event"


def test_one_json_object_a_recording_is_printed(run, as_model, glove):
    _, out, _ = run("predict", glove, "--model", "glove", "--format", "json", "--rise", "0.5")
    point, rest = map(json.loads, out.splitlines())
    assert point["recording"] == f"{glove}:point"
    assert [event["label"] for event in point["events"]] == ["right"]
    assert rest["events"] == []


def test_a_damaged_clip_among_good_ones_is_told_and_the_rest_is_done(run, as_model, glove, tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    code, out, err = run("predict", tmp_path / "bad.npz", glove, "--model", "glove")
    assert code == 1
    assert "bad.npz cannot be read" in err
    assert out.count("confidence") == 3


def test_live_prints_events_of_a_file_as_json_lines_and_runs_their_programs(run, as_model, painted_video, tmp_path):
    told = tmp_path / "told"
    command = f"right={sys.executable} -c 'import sys; open(sys.argv[1], \"w\")' {told}"
    code, out, err = run(
        "live", "--source", painted_video, "--headless", "--no-real-time", "--model", "rule", "--on", command
    )
    assert code == 0
    assert [json.loads(line)["event"]["label"] for line in out.splitlines()] == ["right", "left"]
    assert "120 frames" in err
    until = time.monotonic() + 20
    while not told.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert told.exists()


def test_settings_of_training_are_flags(run):
    code, out, _ = run("train", "--help")
    assert code == 0
    for flag in ("--units", "--precision", "--time-warp", "--mirror", "--epochs"):
        assert flag in out


def test_clips_are_recorded_from_a_file(run, painted_video, tmp_path):
    words = ("--source", painted_video, "--headless", "--no-real-time", "--output", tmp_path)
    code, _, err = run("record", "wave", *words, "--clips", 2, "--seconds", 0.5, "--count-down", 0.5)
    assert code == 0
    assert f"2 clips of wave in {tmp_path / 'wave'}" in err
    assert len(list((tmp_path / "wave").glob("*.mp4"))) == 2


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("record a/b --headless --source x.mp4", "is no name for a gesture"),
        ("record wave --clips 0 --headless", "--clips 0 is not 1 or more"),
        ("record wave --headless --source x.mp4", "x.mp4 does not exist"),
        ("live --headless --model rule --source x.mp4", "x.mp4 does not exist"),
        ("live --headless --model glove --source x.mp4", "reads features of another kind"),
        ("live --headless --model rule --on jump=true", "knows no gesture 'jump'"),
        ("live --headless --model rule --rise 2", "--rise 2.0 is not above 0 and at most 1"),
        ("predict a.npz b.npz --model glove --format srt", "is for one video"),
        ("bench --model rule --frames 3", "--frames 3 is too few"),
        ("evaluate --model rule", "give --data"),
        ("evaluate --run missing --folds 2", "is no prepared run directory"),
        ("evaluate --run missing", "give one of --folds N"),
        ("train --run missing --epochs 3", "is no prepared run directory"),
        ("export --run missing --output out", "is no prepared run directory"),
        ("prepare --data missing --run run", "missing"),
        ("prepare --data clips.npz --run run --num-hands 3", "num_hands must be 1 or 2"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(run, as_model, tmp_path, monkeypatch, line, fault):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*line.split())
    assert (code, out) == (2, "")
    assert fault in err
    assert len(err.splitlines()) == 1
    assert err.startswith("ostinato-gesture: ")
