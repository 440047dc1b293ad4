"""`ostinato-video` from painted videos to timelines, with an image network that sees nothing but colours."""

import contextlib
import csv
import dataclasses
import functools
import io
import json
import shutil
import sys

import cv2
import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from ostinato.commands import run_application
from ostinato.frames.reading import VideoReader
from ostinato.frames.video_writer import VideoWriter
from ostinato_video import video_classifier
from ostinato_video.cli import app

COLOURS = {"blue": (30, 40, 220), "green": (40, 200, 50), "red": (210, 30, 30)}
DAYS = ("monday", "tuesday", "wednesday", "thursday")
SIZE = (40, 36)
RATE = 10.0
SETTINGS = """
units = 9
projection_size = 0
dropout = 0.0
input_dropout = 0.0
batch_size = 4
learning_rate = 0.03
averaging = 0.3
epochs = 10
"""


class ColourEncoder(keras.layers.Layer):
    """Stands in for the image network: the mean colours of four quarters, [B, 4, 3], and a block that may learn."""

    def __init__(self, network="efficientnet_lite0", weights=None, head=True, folded=False, **kwargs):
        super().__init__(**kwargs)
        self.network_name = network
        self.mixing = keras.layers.Dense(3, kernel_initializer="identity")
        self.mixing.build((None, None, 3))
        self.built = True

    def call(self, images):
        size = images.shape[1] // 2
        quarters = ops.reshape(ops.cast(images, "float32") / 127.5 - 1, (-1, 2, size, 2, size, 3))
        return self.mixing(ops.reshape(ops.mean(quarters, axis=(2, 4)), (-1, 4, 3)))

    def compute_output_shape(self, input_shape):
        return input_shape[0], 4, 3

    def set_trainable_blocks(self, num_blocks):
        self.mixing.trainable = num_blocks != 0


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(scope="module", autouse=True)
def quick_network(proofs_in_this_process):
    """The image network takes no time, and a model is loaded once for all command lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ostinato.layers.frame_encoder.ImageEncoder", ColourEncoder)
        patch.setattr("ostinato.layers.ImageEncoder", ColourEncoder)
        patch.setattr(video_classifier, "load_model", functools.cache(video_classifier.load_model))
        yield


def run(*words, standard_input=None):
    """Runs a command line in this process: starting TensorFlow each time would take minutes."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        if standard_input is not None:
            patch.setattr(sys, "stdin", stack.enter_context(standard_input.open()))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run_application(app, [str(word) for word in words])
    return Result(code, out.getvalue(), err.getvalue())


def paint(path, colour, num_frames):
    """Writes a grey video in which a square of some colour appears after three frames."""
    with VideoWriter(path, frame_rate=RATE, size=SIZE) as video:
        for number in range(num_frames):
            image = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
            if number >= 3:
                image[9:, 11:] = COLOURS[colour]
            video.write(image)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A video of each colour for each of four days, of which one is damaged."""
    folder = tmp_path_factory.mktemp("data")
    rows = []
    for number, day in enumerate(DAYS):
        for colour in COLOURS:
            name = f"{day} {colour}.mp4"
            paint(folder / name, colour, 9 + number)
            rows.append((name, colour, day, "dev" if day == "thursday" else "train"))
    (folder / "damaged.mp4").write_bytes((folder / "monday red.mp4").read_bytes()[:500])
    rows.append(("damaged.mp4", "red", "monday", "train"))
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("video", "label", "group", "split"), *rows])
    return folder


@pytest.fixture(scope="module")
def prepared(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "run"
    return folder, run("prepare", "--data", data, "--run", folder, "--image-size", 32)


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory):
    folder = shutil.copytree(prepared[0], tmp_path_factory.mktemp("trained") / "run")
    settings = tmp_path_factory.mktemp("settings") / "tiny.toml"
    settings.write_text(SETTINGS)
    return folder, run("train", "--run", folder, "--config", settings)


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "colours"
    words = ("--min-seconds", 0.2, "--switch-cost", 1, "--terms", "CC0")
    return folder, run("export", "--run", trained[0], "--output", folder, *words)


@pytest.fixture(scope="module")
def model(exported):
    return exported[0]


@pytest.fixture
def video(data):
    return data / "thursday green.mp4"


def test_what_can_be_read_is_prepared_and_what_cannot_is_named(prepared):
    folder, result = prepared
    assert result.code == 1
    damaged, summary = result.err.splitlines()
    assert "damaged.mp4" in damaged
    assert f"{folder}: videos: 9 train, 3 dev; 126 frames, 13 s; labels: blue, green, red; skipped 1" in summary


def test_preparing_twice_changes_nothing(data, prepared):
    folder, _ = prepared
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert run("prepare", "--data", data, "--run", folder, "--image-size", 32).code == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_training_says_what_it_kept_and_refuses_other_settings(trained):
    folder, result = trained
    assert result.code == 0
    assert "trained; best clip accuracy 100.0" in result.err.splitlines()[-1]
    other = run("train", "--run", folder, "--units", 11)
    assert (other.code, other.err.count("\n")) == (2, 1)
    assert "units" in other.err


@pytest.fixture(scope="module")
def frozen(prepared, tmp_path_factory):
    """A run in which the image network has learned nothing; without recurrence, which would take longer."""
    folder = shutil.copytree(prepared[0], tmp_path_factory.mktemp("frozen") / "run")
    settings = folder.parent / "tiny.toml"
    settings.write_text(f"{SETTINGS}recurrent = false\n")
    assert run("train", "--run", folder, "--config", settings).code == 0
    return folder


@pytest.fixture(scope="module")
def fine_tuned(frozen, tmp_path_factory):
    """That run, gone on with into the second phase."""
    folder = shutil.copytree(frozen, tmp_path_factory.mktemp("fine_tuned") / "run")
    words = ("--fine-tune-blocks", 1, "--fine-tune-epochs", 2, "--fine-tune-learning-rate", 0.02)
    return folder, run("train", "--run", folder, *words)


def test_the_image_network_is_fine_tuned_in_a_second_phase(fine_tuned):
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


def test_all_verbs_use_the_image_network_that_was_fine_tuned(fine_tuned, frozen, data, video, tmp_path):
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


def test_folds_of_a_run_that_fine_tunes_are_fine_tuned(fine_tuned, tmp_path):
    folder = shutil.copytree(fine_tuned[0], tmp_path / "run")
    result = run("evaluate", "--run", folder, "--hold-out", "thursday", "--format", "json")
    assert (result.code, result.err) == (0, "")
    assert result.records[0]["scores"]["num_clips"] == 3


def test_what_cannot_be_fine_tuned_is_one_sentence(fine_tuned, prepared, tmp_path):
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


def test_a_model_tells_how_to_use_it(exported):
    folder, result = exported
    assert result.code == 0
    assert f"ostinato-video predict --model {folder / '1'} VIDEO" in result.err
    interface = json.loads((folder / "1" / "interface.json").read_text())
    assert interface["metadata"]["labels"] == ["blue", "green", "red"]
    assert interface["metadata"]["data_terms"] == "CC0"


def test_good_videos_are_labelled_in_order_and_bad_ones_named(model, data, tmp_path):
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


def test_nothing_is_loaded_where_nothing_is_there(tmp_path):
    result = run("predict", tmp_path / "gone.mp4", "--model", "nowhere")
    assert (result.code, result.out) == (1, "")
    assert "gone.mp4 does not exist" in result.err


@pytest.mark.parametrize(
    ("kind", "beginning"),
    [("text", "{video}: green (confidence "), ("csv", "video,start,end,label,confidence\n"), ("vtt", "WEBVTT\n\n00:")],
)
def test_a_timeline_is_written_in_the_format_asked_for(model, video, kind, beginning):
    result = run("predict", video, "--model", model, "--format", kind)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(beginning.format(video=video))
    assert "green" in result.out


def test_subtitles_hold_what_json_says(model, video):
    (record,) = run("predict", video, "--model", model, "--format", "json").records
    subtitles = run("predict", video, "--model", model, "--format", "srt").out
    assert subtitles.count("-->") == len(record["segments"]) > 0
    assert record["segments"][-1]["label"] == "green"
    assert record["segments"][-1]["end"] == pytest.approx(record["duration"]) == pytest.approx(1.2)


def test_one_video_has_its_overlay_and_plot_and_several_have_a_folder_of_them(model, data, video, tmp_path):
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


def test_a_single_frame_is_a_video(model, tmp_path):
    one = paint(tmp_path / "one.mp4", "red", 1)
    (record,) = run("predict", one, "--model", model, "--format", "json").records
    assert record["duration"] == pytest.approx(0.1)
    assert sum(record["scores"].values()) == pytest.approx(1, abs=1e-3)


def test_labelled_videos_are_scored_and_told_one_by_one(model, data, tmp_path):
    found, picture = tmp_path / "found.jsonl", tmp_path / "confusion.png"
    words = ("--model", model, "--output", found, "--confusion", picture)
    result = run("evaluate", "--data", data, *words, "--format", "json")
    assert result.code == 0
    (scores,) = result.records
    assert (scores["clip_accuracy"], scores["num_clips"]) == (100.0, 3)
    assert [json.loads(line)["label"] for line in found.read_text().splitlines()] == ["blue", "green", "red"]
    with Image.open(picture) as image:
        assert image.format == "PNG"


def test_a_run_is_scored_as_its_export_is(trained, model, data):
    words = ("evaluate", "--data", data, "--split", "all", "--format", "json")
    of_run, of_model = run(*words, "--run", trained[0]), run(*words, "--model", model)
    assert of_run.code == of_model.code == 1  # the damaged one
    assert of_run.records[0].keys() == of_model.records[0].keys()
    for name in ("clip_accuracy", "num_clips", "ece"):
        assert of_run.records[0][name] == pytest.approx(of_model.records[0][name], abs=0.1)
    assert "damaged.mp4" in of_run.err


def test_settings_are_cross_validated_and_the_temperature_kept(trained, tmp_path, capfd):
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
def test_folds_that_cannot_be_are_refused(prepared, words, said):
    result = run("evaluate", "--run", prepared[0], *words)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert said in result.err


@pytest.mark.parametrize("pace", [(), ("--no-real-time",)])
def test_a_file_is_labelled_live_without_a_window(model, video, pace):
    result = run("live", "--source", video, "--headless", "--model", model, *pace)
    assert result.code == 0
    assert result.records[-1]["clip_label"] == "green"
    assert "dropped" in result.err
    if pace:
        assert len(result.records) == 12


def test_jpegs_on_standard_input_are_labelled_live(model, video, tmp_path):
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
def test_a_source_that_is_not_there_is_one_sentence(model, source, said):
    result = run("live", "--source", source, "--headless", "--patience", 0.2, "--model", model)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_a_stream_is_timed(model, video):
    (figures,) = run("bench", "--video", video, "--model", model, "--frames", 50, "--format", "json").records
    assert figures["frames_per_second"] > 1
    assert {"encoder_ms", "step_ms", "ratio", "first_ms", "last_ms", "memory_mb", "peak_memory_mb"} <= figures.keys()
