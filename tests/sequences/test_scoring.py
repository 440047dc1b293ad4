import json

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.sequences.confidence import abstain_thresholds, fit_stream_temperature
from ostinato.sequences.outputs import StreamOutput, StreamTruth
from ostinato.sequences.scoring import ScoringOptions, score_streams, stream_confusion

BACKGROUND, NO, YES = 0, 1, 2


def says(frames, label=0, sure=9.0):
    """What a network says that is sure of these labels."""
    return StreamOutput(sure * np.eye(3, dtype=np.float32)[frames], sure * np.eye(3, dtype=np.float32)[label])


def recording(*frames, group="Ann"):
    return StreamTruth(np.array(frames), -1, group)


def clip(label, group="Ann", frames=4):
    return StreamTruth(np.full(frames, -1), label, group)


def test_what_is_always_right_has_full_scores():
    truths = [recording(0, 0, 1, 1, 2, 2, 0), recording(2, 2, 2)]
    scores = score_streams([says(t.frame_labels) for t in truths], truths, ScoringOptions(background=BACKGROUND))
    names = ["frame_accuracy", "frame_accuracy_all", "macro_f1", "macro_f1_all", "segment_f1_10", "segment_f1_25"]
    assert [scores[name] for name in (*names, "segment_f1_50", "edit_score")] == [100] * 8
    assert scores["ece"] < 0.1
    assert scores["num_frames"] == 10
    assert "background:0" in scores["signature"]
    assert "switch-cost:4" in scores["signature"]
    assert json.loads(json.dumps(scores)) == scores


def test_frames_without_a_label_count_nowhere_and_background_frames_only_among_all():
    truth, found = recording(0, 0, 1, 1, -1, -1, 2, 2), says([0, 1, 1, 0, 2, 2, 2, 2])
    scores = score_streams([found], [truth], ScoringOptions(background=BACKGROUND, switch_cost=0))
    assert scores["frame_accuracy"] == 100 * 3 / 4
    assert scores["frame_accuracy_all"] == pytest.approx(100 * 4 / 6)
    assert scores["macro_f1"] == pytest.approx(100 * (2 / 3 + 1) / 2)  # no: 1 right, 1 missed
    assert scores["macro_f1_all"] == pytest.approx(100 * (1 / 2 + 1 / 2 + 1) / 3)
    assert scores["num_frames"] == 6


def test_without_a_background_all_frames_are_scored_alike():
    truth, found = recording(0, 0, 1, 2), says([0, 1, 1, 0])
    scores = score_streams([found], [truth])
    assert scores["frame_accuracy"] == scores["frame_accuracy_all"] == 50
    assert scores["macro_f1"] == scores["macro_f1_all"]


def test_where_nothing_happens_there_is_no_accuracy_of_what_happens():
    scores = score_streams([says([0, 0, 1])], [recording(0, 0, 0)], ScoringOptions(background=BACKGROUND))
    assert "frame_accuracy" not in scores
    assert "macro_f1" not in scores
    assert scores["frame_accuracy_all"] == pytest.approx(200 / 3)


def test_segments_are_scored_after_smoothing_and_frames_before():
    truth, found = recording(*[1] * 6, *[2] * 6), says([1, 1, 2, 1, 1, 1, 2, 2, 2, 1, 2, 2], sure=2.0)
    rough = score_streams([found], [truth], ScoringOptions(switch_cost=0))
    smooth = score_streams([found], [truth], ScoringOptions(switch_cost=4))
    long = score_streams([found], [truth], ScoringOptions(switch_cost=0, min_frames=2))
    assert rough["edit_score"] < 50
    assert smooth["edit_score"] == smooth["segment_f1_50"] == long["edit_score"] == 100
    assert rough["frame_accuracy"] == smooth["frame_accuracy"] == pytest.approx(100 * 10 / 12)


def test_clips_are_scored_with_an_interval_over_groups():
    truths = [clip(1, "Ann"), clip(2, "Ann"), clip(1, "Ben"), clip(1, "Cy"), clip(2, "Dee", frames=7)]
    outputs = [says([0] * len(truth.frame_labels), found) for truth, found in zip(truths, [1, 2, 2, 1, 1], strict=True)]
    scores = score_streams(outputs, truths)
    assert scores["clip_accuracy"] == 60
    assert scores["macro_f1"] == pytest.approx(100 * (2 / 3 + 1 / 2) / 2)
    low, high = scores["clip_accuracy_interval"]
    assert 0 <= low < 60 < high <= 100
    assert "bootstrap-of-4-groups" in scores["signature"]
    assert scores["num_clips"] == 5
    assert 39 < scores["ece"] < 41
    assert not any(name.startswith(("frame", "segment")) for name in scores)
    assert score_streams(outputs[:2], truths[:2])["clip_accuracy_interval"] is None
    assert json.loads(json.dumps(scores)) == scores


def test_of_clips_and_recordings_together_each_is_scored_by_its_own_labels():
    truths = [recording(1, 1, 0), clip(2, frames=2), StreamTruth(np.full(3, -1), -1, "unlabelled")]
    scores = score_streams([says([1, 1, 1]), says([1, 1], 2), says([2, 2, 2], 0)], truths)
    assert (scores["num_frames"], scores["num_clips"]) == (3, 1)
    assert scores["frame_accuracy"] == pytest.approx(200 / 3)
    assert (scores["clip_accuracy"], scores["macro_f1"], scores["frame_macro_f1"]) == (100, 100, 40)
    assert scores["frame_ece"] > 30 > scores["ece"]


def test_the_matrix_counts_clips_where_they_have_labels_and_frames_where_not():
    frames = stream_confusion([says([1, 2, 1])], [recording(1, 1, -1)])
    assert frames.tolist() == [[0, 0, 0], [0, 1, 1], [0, 0, 0]]
    clips = stream_confusion([says([1] * 4, 2), says([1, 1])], [clip(0), recording(1, 1)])
    assert clips.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("outputs", "truths", "fault"),
    [
        ([says([0])], [], "outputs for 1 sequences of 0"),
        ([says([0])], [recording(0, 1)], "sequence 1 has 2 frames, but outputs for 1"),
        ([says([0])], [recording(-1)], "none of the 1 sequences"),
        ([], [], "none of the 0 sequences"),
    ],
)
def test_what_cannot_be_scored_is_said(outputs, truths, fault):
    for function in (score_streams, stream_confusion, fit_stream_temperature, abstain_thresholds):
        with pytest.raises(DataError, match=fault):
            function(outputs, truths)
