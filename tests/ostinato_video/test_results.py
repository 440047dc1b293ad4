import numpy as np
import pytest

from ostinato.frames.timeline import Segment
from ostinato_video.results import VideoResult

LABELS = ("background", "eat", "sleep")


@pytest.fixture
def result():
    scores = np.array([[0.9, 0.1, 0], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.5, 0.2, 0.3], [0, 0.4, 0.6]], np.float32)
    return VideoResult(
        labels=LABELS,
        label="eat",
        confidence=0.5,
        scores=np.array([0.3, 0.5, 0.2], np.float32),
        segments=(Segment(0.1, 0.3, "eat", 0.75), Segment(0.4, 0.5, "unknown", 0.6)),
        times=np.arange(5) / 10,
        frame_numbers=np.arange(5),
        frame_scores=scores,
        frame_rate=10.0,
        background="background",
    )


@pytest.mark.parametrize(
    ("time", "label", "confidence"),
    [
        (0.0, "background", 0.9),
        (0.05, "background", 0.9),
        (0.1, "eat", 0.7),
        (0.1 - 1e-9, "eat", 0.7),
        (0.29, "eat", 0.8),
        (0.3, "background", 0.5),
        (0.45, "unknown", 0.6),
        (7.0, "background", 0.0),
    ],
)
def test_at_a_time_the_timeline_and_the_frame_shown_then_are_asked(result, time, label, confidence):
    assert result.at(time) == (label, pytest.approx(confidence))


def test_the_last_frame_lasts_as_long_as_the_others(result):
    assert result.duration == pytest.approx(0.5)
