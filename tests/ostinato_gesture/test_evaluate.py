import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.sequences.outputs import StreamOutput
from ostinato_gesture.config import EventConfig, PrepareConfig, TrainConfig
from ostinato_gesture.data import FeatureSequence
from ostinato_gesture.evaluate import cross_validate_run, evaluate, spot_in_output
from ostinato_gesture.event_scores import starts_of
from ostinato_gesture.npz_data import LabelledEvent
from ostinato_gesture.prepare import prepare
from ostinato_gesture.run import Run

LABELS = ("none", "left", "right")
QUICK = EventConfig(min_seconds=0.2, refractory_seconds=0.5)


def frames_of(*stretches):
    """Features [F, 3] that say which label each frame has: pairs of a number of frames and a label."""
    return np.concatenate([np.tile(np.eye(3)[LABELS.index(label)] * 5, (count, 1)) for count, label in stretches])


def sequence(name, features, label=None, events=(), group="ann"):
    return FeatureSequence(name, group, features, "", label, events)


class Reader:
    """Stands in for a recogniser: features that are logits."""

    labels, frame_rate = LABELS, 10.0
    none: str | None = "none"

    def recognize_each(self, recordings, events):
        from ostinato.metrics import tempered_softmax
        from ostinato_gesture.events import spot_events
        from ostinato_gesture.results import GestureResult

        for features in recordings:
            scores = tempered_softmax(features)
            times = np.arange(len(features)) / self.frame_rate
            whole = scores.mean(axis=0)
            label = LABELS[int(whole.argmax())]
            spotted = spot_events(scores, times, LABELS, events or QUICK, none="none")
            yield features, GestureResult(LABELS, label, float(whole.max()), whole, spotted, times, scores, 10.0)


def test_clips_are_scored_by_their_label():
    clips = [
        sequence("a", frames_of((5, "left")), "left"),
        sequence("b", frames_of((7, "right")), "left"),
        sequence("c", frames_of((3, "right")), "right", group="ben"),
    ]
    found = evaluate(Reader(), clips)
    assert found.scores["accuracy"] == found.scores["clip_accuracy"] == pytest.approx(200 / 3)
    assert found.scores["num_examples"] == 3
    assert "event_f1" not in found.scores
    assert found.confusion.tolist() == [[0, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert [(each["name"], each["label"], each["true_label"]) for each in found.records] == [
        ("a", "left", "left"),
        ("b", "right", "left"),
        ("c", "right", "right"),
    ]


def test_events_of_recordings_are_right_once_and_near_their_start():
    features = frames_of((9, "none"), (11, "left"), (9, "none"), (11, "right"), (40, "none"), (11, "left"), (9, "none"))
    events = (LabelledEvent(10, 20, "left"), LabelledEvent(28, 41, "right"), LabelledEvent(40, 55, "left"))
    heard = []
    found = evaluate(Reader(), [sequence("a", features, events=events)], on_recording=lambda: heard.append(1))
    assert (found.scores["num_events"], found.scores["num_found"], found.scores["num_right"]) == (3, 3, 2)
    assert found.scores["event_precision"] == found.scores["event_recall"] == pytest.approx(200 / 3)
    assert "start-within-20" in found.scores["signature"]
    assert [event["label"] for event in found.records[0]["events"]] == ["left", "right", "left"]
    assert heard == [1]


def test_a_label_that_the_model_does_not_know_is_named():
    with pytest.raises(DataError, match="does not know: up;"):
        evaluate(Reader(), [sequence("a", frames_of((5, "left")), "up")])
    with pytest.raises(DataError, match="does not know: up;"):
        evaluate(Reader(), [sequence("a", frames_of((5, "left")), events=(LabelledEvent(1, 2, "up"),))])


def test_events_of_clips_are_counted_where_there_is_what_is_no_gesture():
    clips = [
        sequence("once", frames_of((5, "none"), (8, "left")), "left"),
        sequence("twice", frames_of((8, "left"), (20, "none"), (8, "left")), "left"),
        sequence("never", frames_of((9, "none")), "right"),
        sequence("another too", frames_of((8, "left"), (8, "right")), "right"),
        sequence("no gesture", frames_of((4, "none"), (8, "left")), "none"),
    ]
    found = evaluate(Reader(), clips)
    assert (found.scores["clips_told_once"], found.scores["clips_told"], found.scores["clips_untold"]) == (25, 75, 25)
    assert (found.scores["false_events"], found.scores["num_gesture_clips"]) == (2, 4)
    assert "clips_told_once" in found.as_text()

    class Restless(Reader):
        none = None

    assert "clips_told_once" not in evaluate(Restless(), clips).scores


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Clips and recordings of three people, whose features say what they are."""
    generator = np.random.default_rng(5)
    data = []
    for person in ("ann", "ben", "eve"):
        for number in range(6):
            label = LABELS[1 + number % 2]
            features = frames_of((5 + number, label))
            data.append(sequence(f"{person} {number}", features, label, group=person))
        features = frames_of((6, "none"), (7, "left"), (6, "none"), (7, "right"), (6, "none"))
        events = (LabelledEvent(6, 13, "left"), LabelledEvent(19, 26, "right"))
        data.append(sequence(f"{person} long", features, None, events, person))
    data = [
        FeatureSequence(each.name, each.group, each.features + generator.normal(0, 0.3, each.features.shape), "",
                        each.label, each.events)
        for each in data
    ]  # fmt: skip
    run = Run(tmp_path_factory.mktemp("run"))
    prepare(run, data, PrepareConfig(frame_rate=10.0))
    return run


def test_people_are_left_out_in_turn_and_their_recordings_spotted(run):
    from ostinato.config import write_config

    settings = TrainConfig(
        units=8, projection_size=0, recurrent=False, dropout=0.0, input_dropout=0.0, learning_rate=0.05, epochs=6,
        least_windows=64, window=32, joined=0.3, averaging=0.5,
    )  # fmt: skip
    write_config(run.config_path, settings)
    folds = []
    found = cross_validate_run(run, QUICK, num_folds=3, on_fold=lambda: folds.append(1))
    scores = found.scores["scores"]
    assert len(folds) == 3
    assert scores["accuracy"] > 80
    assert (scores["num_clips"], scores["num_events"], scores["num_examples"]) == (18, 6, 24)
    assert scores["event_f1"] > 80
    assert scores["num_gesture_clips"] == 18
    assert scores["num_clips_told_once"] + scores["num_clips_untold"] <= 18
    assert scores["clips_told"] >= scores["clips_told_once"] > 0
    assert len(found.records) == 21
    told = {record["name"]: [event["label"] for event in record["events"]] for record in found.records}
    assert told["ann long"] == ["left", "right"]
    assert (run.folder / "cross_validation.json").exists()
    assert "accuracy" in found.as_text()


@pytest.mark.parametrize("compare", [True, False])
def test_whether_recurrence_is_compared_with_its_absence_is_up_to_the_caller(run, monkeypatch, compare):
    def stop(run, options, **arguments):
        assert arguments["compare"] is compare
        raise DataError("far enough")

    monkeypatch.setattr("ostinato_gesture.evaluate.evaluation.cross_validate_run", stop)
    with pytest.raises(DataError, match="far enough"):
        cross_validate_run(run, QUICK, num_folds=3, compare=compare)


def test_scores_of_a_run_s_sequences_become_events(run):
    row = next(row for row, record in enumerate(run.store.records) if record.name == "ann long")
    logits = frames_of((6, "none"), (7, "left"), (6, "none"), (7, "right"), (6, "none"))
    spotted = spot_in_output(run, row, StreamOutput(logits, logits[0]), QUICK)
    assert starts_of(spotted, 10.0) == [(6.0, "left"), (19.0, "right")]
