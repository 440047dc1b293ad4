import dataclasses
import shutil
from typing import Any

import numpy as np
import pytest

from ostinato.config import write_config
from ostinato.errors import DataError, InputError
from ostinato.frames.labelled import VideoExample, VideoSegment
from ostinato_video.config import TimelineConfig, TrainConfig
from ostinato_video.evaluate import cross_validate_run, evaluate, scoring_options
from ostinato_video.results import VideoResult
from ostinato_video.run import Run
from ostinato_video.timeline import segments_of

LABELS = ("background", "fall", "walk")
RATE = 5.0
PLAIN = TimelineConfig(switch_cost=0.0, min_seconds=0.0)


def result_of(numbers, clip=0, damage=None):
    """What a model says that is sure of the label of each frame, by number, and of the whole."""
    frame_scores = np.eye(3, dtype=np.float32)[list(numbers)] * 0.7 + 0.1
    times = np.arange(len(frame_scores)) / RATE
    scores = np.eye(3, dtype=np.float32)[clip] * 0.7 + 0.1
    return VideoResult(
        labels=LABELS,
        label=LABELS[clip],
        confidence=0.8,
        scores=scores,
        segments=segments_of(frame_scores, times, LABELS, frame_rate=RATE, config=PLAIN, background="background"),
        times=times,
        frame_numbers=2 * np.arange(len(times)),  # of a video of twice that rate
        frame_scores=frame_scores,
        frame_rate=RATE,
        damage=damage,
        background="background",
    )


@dataclasses.dataclass
class Model:
    """Says what it was told to say."""

    results: dict
    labels: tuple[str, ...] = LABELS
    frame_rate: float = RATE

    def classify_each(self, videos, timeline):
        return ((video, self.results[video]) for video in videos)


def model_of(results) -> Any:
    return Model(results)


def clip(name, label, group="g"):
    return VideoExample(name, group, "dev", label, ())


def recording(name, *segments, group="g", unit="seconds"):
    parts = tuple(VideoSegment(start, end, label, unit) for start, end, label in segments)
    return VideoExample(name, group, "dev", None, parts)


def test_clips_are_scored_by_what_is_most_probable_even_where_the_model_abstains():
    unsure = dataclasses.replace(result_of([1, 1], clip=1), label="unknown")
    model = model_of({"a": unsure, "b": result_of([2, 2, 2], clip=2), "c": result_of([2], clip=1)})
    found = evaluate(model, [clip("a", "fall"), clip("b", "walk", "h"), clip("c", "walk")], PLAIN)
    assert found.scores["clip_accuracy"] == pytest.approx(200 / 3)
    assert found.scores["num_clips"] == 3
    assert found.confusion.tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert [(record["name"], record["label"], record["true_label"]) for record in found.records] == [
        ("a", "fall", "fall"),
        ("b", "walk", "walk"),
        ("c", "fall", "walk"),
    ]
    shape = {"name", "group", "label", "confidence", "true_label"}
    assert all(set(record) == {*shape, "segments", "true_segments"} for record in found.records)


def test_frames_are_scored_at_their_times_and_background_is_what_is_in_no_segment():
    model = model_of({"a": result_of([0, 0, 2, 2, 2, 0, 1])})  # at 0.0, 0.2, ... 1.2 s
    found = evaluate(model, [recording("a", (0.4, 0.8, "walk"), (1.2, 1.4, "fall"))], PLAIN)
    # walk is true at 0.4 and 0.6; at 0.8 it is over
    assert found.scores["frame_accuracy_all"] == pytest.approx(100 * 6 / 7)
    assert found.scores["frame_accuracy"] == pytest.approx(100)
    assert found.confusion.tolist() == [[3, 0, 1], [0, 1, 0], [0, 0, 2]]
    assert [segment["label"] for segment in found.records[0]["segments"]] == ["walk", "fall"]


def test_segments_in_frames_are_those_of_the_file():
    model = model_of({"a": result_of([0, 2, 2, 0])})  # which shows frames 0, 2, 4, 6
    found = evaluate(model, [recording("a", (2, 5, "walk"), unit="frames")], PLAIN)
    assert found.scores["frame_accuracy_all"] == pytest.approx(100)


def test_what_cannot_be_read_is_told_and_does_not_count_and_what_is_damaged_counts():
    model = model_of({"a": InputError("a is empty"), "b": result_of([2], clip=2, damage="b is cut short")})
    told: list[InputError] = []
    watched: list[int] = []
    examples = [clip("a", "fall"), clip("b", "walk")]
    found = evaluate(model, examples, PLAIN, on_error=told.append, on_video=lambda: watched.append(1))
    assert [str(error) for error in told] == ["a is empty", "b is cut short"]
    assert len(watched) == 2
    assert found.scores["num_clips"] == 1
    with pytest.raises(DataError, match="none of the 1 videos can be read"):
        evaluate(model, examples[:1], PLAIN)


def test_labels_that_the_model_does_not_know_are_named_before_any_video_is_watched():
    with pytest.raises(DataError, match="does not know: jump, run; name another model"):
        evaluate(model_of({}), [clip("a", "run"), recording("b", (0, 1, "jump"))], PLAIN)


def test_frames_become_segments_as_in_a_timeline():
    options = scoring_options(TimelineConfig(switch_cost=3.0, min_seconds=0.5), 12.5, ("run", "background"))
    assert (options.background, options.switch_cost, options.min_frames) == (1, 3.0, 6)
    assert scoring_options(TimelineConfig(min_seconds=0.0), 12.5, ("a", "b")).background is None
    assert scoring_options(TimelineConfig(min_seconds=0.0), 12.5, ("a", "b")).min_frames == 1


def test_a_day_that_is_held_out_is_scored_and_nothing_is_kept(completed_run):
    before = sorted(completed_run.folder.rglob("*"))
    folds = []
    found = cross_validate_run(completed_run, PLAIN, hold_out="wednesday", on_fold=lambda: folds.append(1))
    assert len(folds) == 1
    assert found.scores["scores"]["num_frames"] == 50
    assert [record["group"] for record in found.records] == ["wednesday", "wednesday"]
    assert "without recurrence:" in found.as_text()
    assert sorted(completed_run.folder.rglob("*")) == before


def test_a_room_is_held_out_of_a_run_that_was_prepared_by_days(completed_run, tmp_path):
    run = Run(shutil.copytree(completed_run.folder, tmp_path / "run"))
    write_config(run.config_path, TrainConfig(units=5, recurrent=False, epochs=1))
    found = cross_validate_run(run, PLAIN, hold_out="attic", group_by="room")
    assert [record["group"] for record in found.records] == ["tuesday"]
    assert set(found.records[0]) == {"name", "group", "label", "confidence", "true_label"}
    assert 1 / 3 <= found.records[0]["confidence"] <= 1
    assert [fold["name"] for fold in found.scores["folds"]] == ["attic"]
    assert found.scores["folds"][0]["num_train"] == 3


def test_too_few_groups_and_unknown_ones_are_refused(completed_run):
    with pytest.raises(DataError, match="3 groups cannot be divided into 5 folds"):
        cross_validate_run(completed_run, PLAIN, num_folds=5)
    with pytest.raises(DataError, match="there is no group 'sunday'; the groups are monday, tuesday, wednesday"):
        cross_validate_run(completed_run, PLAIN, hold_out="sunday")
