import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato_gesture.event_scores import score_clip_events, starts_of, true_events
from ostinato_gesture.results import Event

LABELS = ("none", "left", "right")


def test_true_events_are_the_stretches_of_gestures():
    labels = np.array([0, 0, 1, 1, 2, 0, -1, 1])
    assert true_events(labels, LABELS, "none") == [(2.0, "left"), (4.0, "right"), (7.0, "left")]


def test_events_begin_at_frames():
    assert starts_of([Event(0.5, 1.5, "left", 0.9)], 12.0) == [(6.0, "left")]


def test_a_clip_is_told_once_only_where_nothing_else_is():
    found = [["left"], ["left", "left"], ["right", "left"], [], ["right"], ["left"], []]
    labels = ["left", "left", "left", "left", "left", "none", "none"]
    scores = score_clip_events(found, labels, none="none")
    assert scores is not None
    assert (scores.clips_told_once, scores.clips_told, scores.clips_untold) == (20, 60, 20)
    counts = (scores.num_clips_told_once, scores.num_clips_told, scores.num_clips_untold, scores.num_gesture_clips)
    assert counts == (1, 3, 1, 5)
    assert scores.false_events == 3  # two of another gesture, one where there is none


def test_clips_without_gestures_have_no_share_to_be_told():
    assert score_clip_events([["left"]], ["none"], none="none") is None
    assert score_clip_events([], [], none="none") is None


def test_events_and_labels_are_of_the_same_clips():
    with pytest.raises(DataError, match="2 clips"):
        score_clip_events([["left"], []], ["left"], none=None)
