import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.sequences.outputs import StreamOutput, StreamTruth
from ostinato_gesture.advice import advise

LABELS = ("none", "nod", "wave")


def said(number, frames=2):
    return StreamOutput(np.eye(3)[[number] * frames], np.eye(3)[number])


def clip(number, frames=2):
    return StreamTruth(np.full(frames, number), number, "ann")


def test_labels_that_are_confused_or_rare_are_named_and_the_worst_comes_first():
    truths = [clip(1)] * 6 + [clip(2)] * 4 + [clip(0)] * 2
    outputs = [said(1)] * 3 + [said(2)] * 3 + [said(2)] * 4 + [said(0)] * 2
    advice = advise(outputs, truths, truths, LABELS, "none")
    assert (advice.num_right, advice.num_examples, advice.unit) == (9, 12, "clips")
    assert advice.lines() == [
        "of 12 clips that it was not trained on, 75.0 % are right",
        "nod is taken for wave in 3 clips (50 %)",
        "record more of: nod, wave",
    ]


def test_what_is_well_known_needs_no_more():
    truths = [clip(1)] * 5 + [clip(2)] * 5 + [clip(0)]
    advice = advise([said(1)] * 5 + [said(2)] * 5 + [said(0)], truths, truths, LABELS, "none")
    assert advice.lines() == ["of 11 clips that it was not trained on, 100.0 % are right"]


def test_where_nothing_shows_what_is_no_gesture_that_is_said():
    truths = [clip(1)] * 5 + [clip(2)] * 5
    advice = advise([said(1)] * 5 + [said(2)] * 5, truths, truths, LABELS, "none")
    assert "record some none" in advice.lines()[-1]
    shown = [*truths, StreamTruth(np.array([0, 1]), 1, "ben")]
    assert advise([said(1)] * 5 + [said(2)] * 5, truths, shown, LABELS, "none").none is None


def test_recordings_are_counted_in_frames():
    truth = StreamTruth(np.array([0, 1, 1, 2]), -1, "ann")
    advice = advise([StreamOutput(np.eye(3)[[0, 1, 2, 2]], np.eye(3)[0])], [truth], [truth], LABELS, "none")
    assert advice.lines()[0] == "of 4 frames that it was not trained on, 75.0 % are right"
    assert advice.record_more == ("nod",)


def test_nothing_can_be_said_of_what_has_no_label():
    with pytest.raises(DataError):
        advise([said(1)], [StreamTruth(np.full(2, -1), -1, "ann")], [], LABELS, "none")
