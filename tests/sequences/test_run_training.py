import dataclasses
import json
import shutil

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.sequences.config import StreamConfig
from ostinato.sequences.run import StreamRun
from ostinato.sequences.run_training import RunTraining
from ostinato.sequences.store import SequenceWriter
from ostinato.sequences.watching import watch
from ostinato.training import Watcher, load_weights

LABELS = ("background", "nod", "wave")
# Without recurrence, since these features need none: LSTMs take most of the time to trace.
SHORT = StreamConfig(
    units=12,
    projection_size=8,
    recurrent=False,
    dropout=0.0,
    input_dropout=0.0,
    window=16,
    batch_size=4,
    learning_rate=3e-2,
    averaging=0.5,
    epochs=3,
)


class InterruptionError(Exception):
    """Stands in for whatever ends a process."""


def write_run(folder, *, frame_labels, dev=3):
    """Features in which the label can be seen, of twelve videos of 17 to 23 frames."""
    folder.mkdir(parents=True)
    run = StreamRun(folder)
    generator = np.random.default_rng(5)
    with SequenceWriter(run.store) as writer:
        for number in range(12):
            frames = 17 + number % 7
            labels = np.repeat(generator.permutation(3), 9)[:frames] if frame_labels else np.full(frames, number % 3)
            writer.append(np.eye(3)[labels] + generator.normal(0, 0.1, (frames, 3)))
            writer.end_sequence(
                f"{number}.mp4",
                group=str(number),
                split="dev" if number < dev else "train",
                **({"frame_labels": labels} if frame_labels else {"label": number % 3}),
            )
    run.write_prepared(SHORT, "fingerprint", SHORT, labels=list(LABELS))
    return run


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("prepared") / "run", frame_labels=True)


@pytest.fixture
def run(prepared, tmp_path):
    return StreamRun(shutil.copytree(prepared.folder, tmp_path / "run"))


def written(run):
    return [json.loads(line) for line in run.metrics_path.read_text().splitlines()]


def test_labels_of_frames_are_learned_and_the_best_epoch_kept(run):
    heard = []
    watcher = Watcher(
        on_phase=lambda phase, num_updates: heard.append((phase, num_updates)),
        on_epoch=lambda phase, progress: heard.append((phase, progress.epoch)),
    )
    training = RunTraining(run, dataclasses.replace(SHORT, epochs=5), watcher)
    records = training()
    assert training.score == "macro_f1"
    assert records == written(run)
    assert [record["epoch"] for record in records] == [1, 2, 3, 4, 5]
    best = max(records, key=lambda record: record["macro_f1"])
    assert best["macro_f1"] > 80
    assert {"frame_accuracy", "loss"} <= set(best)
    assert training.told(records) == f"best macro-F1 {best['macro_f1']:.1f} in epoch {best['epoch']} of 5"
    assert heard == [("training", training.streams.num_updates), *[("training", epoch) for epoch in range(6)]]
    weights = training.classifier.get_weights()
    for weight in training.classifier.weights:
        weight.assign(np.zeros(weight.shape))
    load_weights(run.model_path, training.classifier)
    for kept, saved in zip(weights, training.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, saved)
    again = training.streams.read(training.dev_rows)
    right = np.concatenate([o.frame_logits.argmax(-1) == run.store.labels_of(r) for r, o in enumerate(again)])
    assert 100 * right.mean() == pytest.approx(best["frame_accuracy"], abs=0.01)


def test_a_run_that_was_stopped_ends_like_one_that_was_not(prepared, run, tmp_path):
    def interrupt(phase, progress):
        if progress.epoch == 2:
            raise InterruptionError

    with pytest.raises(InterruptionError):
        RunTraining(run, SHORT, Watcher(on_epoch=interrupt))()
    assert not run.model_path.exists()
    resumed = RunTraining(StreamRun(run.folder), SHORT)()
    whole = RunTraining(StreamRun(shutil.copytree(prepared.folder, tmp_path / "whole")), SHORT)()
    for one, other in zip(resumed, whole, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-4)
        assert one["macro_f1"] == pytest.approx(other["macro_f1"], abs=1e-3)
    with np.load(run.model_path) as first, np.load(tmp_path / "whole" / "model.npz") as second:
        for name in second:
            np.testing.assert_allclose(first[name], second[name], atol=1e-5)


def test_clips_are_validated_by_their_accuracy(tmp_path):
    training = RunTraining(write_run(tmp_path / "clips", frame_labels=False), SHORT)
    records = training()
    assert training.score == "clip_accuracy"
    best = max(record["clip_accuracy"] for record in records)
    assert best in (0, pytest.approx(100 / 3, abs=0.01), pytest.approx(200 / 3, abs=0.01), 100)
    assert training.told(records).startswith(f"best clip accuracy {best:.1f} in epoch")


def test_without_videos_to_validate_on_the_last_epoch_is_kept(tmp_path, capsys):
    run = write_run(tmp_path / "run", frame_labels=True, dev=0)
    training = RunTraining(run, SHORT)
    with watch(training) as training.watcher:
        records = training()
    assert training.score is None
    assert not {"macro_f1", "clip_accuracy"} & set(records[0])
    assert training.told(records) == "kept epoch 3, the last, since no group is kept for validation"
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"training: epoch {epoch}/3" for epoch in (1, 2, 3)]
    assert "best" not in "".join(lines)


def test_who_watches_sees_the_score_of_each_epoch(run, capsys):
    training = RunTraining(run, SHORT)
    with watch(training) as training.watcher:
        training()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all("macro-F1" in line and "frames/s" in line for line in lines)
    assert list((run.folder / "tensorboard" / "training").glob("events.out.tfevents.*"))


def test_data_without_labelled_videos_for_training_are_refused(tmp_path):
    run = write_run(tmp_path / "run", frame_labels=True, dev=12)
    with pytest.raises(DataError, match="no labelled sequences of the split 'train'"):
        RunTraining(run, SHORT)
