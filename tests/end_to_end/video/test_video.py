"""`ostinato-video` from painted videos to timelines."""

import json
import shutil

import cv2
import pytest
from PIL import Image

from ostinato.frames.reading import VideoReader

SIZE, RATE = (40, 36), 10.0  # of all videos here


@pytest.fixture(scope="module")
def trained(run, prepared, settings, tmp_path_factory):
    folder = shutil.copytree(prepared[0], tmp_path_factory.mktemp("trained") / "run")
    return folder, run("train", "--run", folder, "--config", settings)


@pytest.fixture(scope="module")
def exported(run, trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "colours"
    words = ("--min-seconds", 0.2, "--switch-cost", 1, "--terms", "CC0")
    return folder, run("export", "--run", trained[0], "--output", folder, *words)


@pytest.fixture(scope="module")
def model(exported):
    return exported[0]


def test_what_can_be_read_is_prepared_and_what_cannot_is_named(prepared):
    folder, result = prepared
    assert result.code == 1
    damaged, summary = result.err.splitlines()
    assert "damaged.mp4" in damaged
    assert f"{folder}: videos: 9 train, 3 dev; 126 frames, 13 s; labels: blue, green, red; skipped 1" in summary


def test_preparing_twice_changes_nothing(run, data, prepared):
    folder, _ = prepared
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert run("prepare", "--data", data, "--run", folder, "--image-size", 32).code == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_training_says_what_it_kept_and_refuses_other_settings(run, trained):
    folder, result = trained
    assert result.code == 0
    assert "trained; best clip accuracy 100.0" in result.err.splitlines()[-1]
    other = run("train", "--run", folder, "--units", 11)
    assert (other.code, other.err.count("\n")) == (2, 1)
    assert "units" in other.err


def test_a_model_tells_how_to_use_it(exported):
    folder, result = exported
    assert result.code == 0
    assert f"ostinato-video predict --model {folder / '1'} VIDEO" in result.err
    interface = json.loads((folder / "1" / "interface.json").read_text())
    assert interface["metadata"]["labels"] == ["blue", "green", "red"]
    assert interface["metadata"]["data_terms"] == "CC0"


def test_good_videos_are_labelled_in_order_and_bad_ones_named(run, model, data, tmp_path):
    (tmp_path / "empty.mp4").touch()
    good = [data / f"thursday {colour}.mp4" for colour in ("red", "blue")]
    paths = [good[0], tmp_path / "empty.mp4", data / "damaged.mp4", data / "gone.mp4", good[1]]
    result = run("predict", *paths, "--model", model, "--format", "json")
    assert result.code == 1
    assert [(record["video"], record["label"]) for record in result.records] == [
        (str(good[0]), "red"),
        (str(good[1]), "blue"),
    ]
    faults = sorted(result.err.splitlines())
    assert len(faults) == 3
    assert all(fault.startswith("ostinato-video: ") for fault in faults)
    for name in ("empty.mp4", "damaged.mp4", "gone.mp4"):
        assert sum(name in fault for fault in faults) == 1


def test_nothing_is_loaded_where_nothing_is_there(run, tmp_path):
    result = run("predict", tmp_path / "gone.mp4", "--model", "nowhere")
    assert (result.code, result.out) == (1, "")
    assert "gone.mp4 does not exist" in result.err


@pytest.mark.parametrize(
    ("kind", "beginning"),
    [("text", "{video}: green (confidence "), ("csv", "video,start,end,label,confidence\n"), ("vtt", "WEBVTT\n\n00:")],
)
def test_a_timeline_is_written_in_the_format_asked_for(run, model, video, kind, beginning):
    result = run("predict", video, "--model", model, "--format", kind)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(beginning.format(video=video))
    assert "green" in result.out


def test_subtitles_hold_what_json_says(run, model, video):
    (record,) = run("predict", video, "--model", model, "--format", "json").records
    subtitles = run("predict", video, "--model", model, "--format", "srt").out
    assert subtitles.count("-->") == len(record["segments"]) > 0
    assert record["segments"][-1]["label"] == "green"
    assert record["segments"][-1]["end"] == pytest.approx(record["duration"]) == pytest.approx(1.2)


def test_one_video_has_its_overlay_and_plot_and_several_have_a_folder_of_them(run, model, data, video, tmp_path):
    overlay, plot = tmp_path / "seen.mp4", tmp_path / "new" / "seen.png"
    assert run("predict", video, "--model", model, "--overlay", overlay, "--plot", plot).code == 0
    with VideoReader(overlay) as reader:
        assert (reader.size, reader.frame_rate) == (SIZE, pytest.approx(RATE))
        assert len(list(reader)) == 12
    with Image.open(plot) as image:
        assert image.format == "PNG"
    words = ("--model", model, "--plot", tmp_path / "plots")
    assert run("predict", video, data / "damaged.mp4", data / "thursday red.mp4", *words).code == 1
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["thursday green.png", "thursday red.png"]


def test_a_single_frame_is_a_video(run, paint, model, tmp_path):
    one = paint(tmp_path / "one.mp4", "red", 1)
    (record,) = run("predict", one, "--model", model, "--format", "json").records
    assert record["duration"] == pytest.approx(0.1)
    assert sum(record["scores"].values()) == pytest.approx(1, abs=1e-3)


def test_labelled_videos_are_scored_and_told_one_by_one(run, model, data, tmp_path):
    found, picture = tmp_path / "found.jsonl", tmp_path / "confusion.png"
    words = ("--model", model, "--output", found, "--confusion", picture)
    result = run("evaluate", "--data", data, *words, "--format", "json")
    assert result.code == 0
    (scores,) = result.records
    assert (scores["clip_accuracy"], scores["num_clips"]) == (100.0, 3)
    assert [json.loads(line)["label"] for line in found.read_text().splitlines()] == ["blue", "green", "red"]
    with Image.open(picture) as image:
        assert image.format == "PNG"


def test_a_run_is_scored_as_its_export_is(run, trained, model, data):
    words = ("evaluate", "--data", data, "--split", "all", "--format", "json")
    of_run, of_model = run(*words, "--run", trained[0]), run(*words, "--model", model)
    assert of_run.code == of_model.code == 1  # the damaged one
    assert of_run.records[0].keys() == of_model.records[0].keys()
    for name in ("clip_accuracy", "num_clips", "ece"):
        assert of_run.records[0][name] == pytest.approx(of_model.records[0][name], abs=0.1)
    assert "damaged.mp4" in of_run.err


def test_settings_are_cross_validated_and_the_temperature_kept(run, trained, tmp_path, capfd):
    folder = shutil.copytree(trained[0], tmp_path / "run")
    result = run("evaluate", "--run", folder, "--folds", 2)
    assert (result.code, result.err, capfd.readouterr().err) == (0, "", "")
    assert "without recurrence:" in result.out
    kept = json.loads((folder / "cross_validation.json").read_text())
    assert kept["scores"]["num_clips"] == 12
    assert len(kept["folds"]) == 2
    assert kept["temperature"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--folds", 9), "4 groups cannot be divided into 9 folds"),
        (("--folds", 1), "ask for 2 to 4"),
        (("--hold-out", "sunday"), "there is no group 'sunday'"),
        (("--folds", 2, "--leave-one-out"), "give one of --folds N"),
    ],
)
def test_folds_that_cannot_be_are_refused(run, prepared, words, said):
    result = run("evaluate", "--run", prepared[0], *words)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert said in result.err


@pytest.mark.parametrize("pace", [(), ("--no-real-time",)])
def test_a_file_is_labelled_live_without_a_window(run, model, video, pace):
    result = run("live", "--source", video, "--headless", "--model", model, *pace)
    assert result.code == 0
    assert result.records[-1]["clip_label"] == "green"
    assert "dropped" in result.err
    if pace:
        assert len(result.records) == 12


def test_jpegs_on_standard_input_are_labelled_live(run, model, video, tmp_path):
    pipe = tmp_path / "pipe.mjpeg"
    with VideoReader(video) as reader:
        pipe.write_bytes(b"".join(cv2.imencode(".jpg", frame.image[..., ::-1])[1].tobytes() for frame in reader))
    result = run("live", "--source", "-", "--headless", "--model", model, standard_input=pipe)
    assert result.code == 0
    assert result.records


@pytest.mark.parametrize(
    ("source", "said"),
    [("gone.mp4", "gone.mp4 does not exist"), ("rtsp://127.0.0.1:1/none", "rtsp://127.0.0.1:1/none")],
)
def test_a_source_that_is_not_there_is_one_sentence(run, model, source, said):
    result = run("live", "--source", source, "--headless", "--patience", 0.2, "--model", model)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_a_stream_is_timed(run, model, video):
    (figures,) = run("bench", "--video", video, "--model", model, "--frames", 50, "--format", "json").records
    assert figures["frames_per_second"] > 1
    assert {"encoder_ms", "step_ms", "ratio", "first_ms", "last_ms", "memory_mb", "peak_memory_mb"} <= figures.keys()
