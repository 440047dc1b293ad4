import numpy as np
import pytest

from ostinato_video.config import TimelineConfig
from ostinato_video.timeline import UNKNOWN, SteadyLabel, confident_label, label_frames, segments_of

LABELS = ("background", "eat", "sleep")
PLAIN = TimelineConfig(switch_cost=0.0, min_seconds=0.0)


def scores_of(numbers, sure=0.8):
    """Scores [F, 3] in which each frame has its label for sure."""
    scores = np.full((len(numbers), 3), (1 - sure) / 2, np.float32)
    scores[np.arange(len(numbers)), numbers] = sure
    return scores


def segments(numbers, config=PLAIN, frame_rate=5.0, sure=0.8, background="background"):
    times = np.arange(len(numbers)) / frame_rate
    return segments_of(
        scores_of(numbers, sure), times, LABELS, frame_rate=frame_rate, config=config, background=background
    )


def test_a_segment_lasts_until_the_next_one_and_the_last_one_a_frame_more():
    assert [(each.start, each.end, each.label) for each in segments([1, 1, 1, 2, 2])] == [
        (0.0, 0.6, "eat"),
        (0.6, 1.0, "sleep"),
    ]


def test_the_background_is_left_out_where_there_is_one():
    assert [(each.start, each.end) for each in segments([0, 0, 1, 0])] == [(0.4, pytest.approx(0.6))]
    assert [each.label for each in segments([0, 0, 1, 0], background=None)] == ["background", "eat", "background"]


def test_confidence_is_the_mean_score_of_the_label_over_the_segment():
    scores = np.array([[0.0, 0.9, 0.1], [0.0, 0.6, 0.4], [0.3, 0.2, 0.5]], np.float32)
    eat, sleep = segments_of(scores, np.arange(3.0), LABELS, frame_rate=1.0, config=PLAIN)
    assert (eat.confidence, sleep.confidence) == (pytest.approx(0.75), pytest.approx(0.5))


def test_what_is_too_unsure_is_called_unknown():
    config = TimelineConfig(switch_cost=0.0, min_seconds=0.0, abstain=0.7)
    assert [each.label for each in segments([1, 1, 2], config, sure=0.8)] == ["eat", "sleep"]
    assert [each.label for each in segments([1, 1, 2], config, sure=0.6)] == [UNKNOWN, UNKNOWN]
    assert confident_label("eat", 0.7, config) == "eat"


def test_a_change_of_label_has_to_be_worth_its_cost():
    flicker = [1, 1, 1, 1, 2, 1, 1, 1, 1, 2, 2, 2, 2, 2]
    smooth = label_frames(scores_of(flicker), 5.0, TimelineConfig(switch_cost=2.0, min_seconds=0.0))
    assert smooth.tolist() == [1] * 9 + [2] * 5


def test_the_least_length_is_counted_in_seconds():
    config = TimelineConfig(switch_cost=0.0, min_seconds=0.5)
    assert label_frames(scores_of([1, 1, 1, 1, 2, 2, 1, 1, 1]), 4.0, config).tolist() == [1] * 4 + [2] * 2 + [1] * 3
    assert label_frames(scores_of([1, 1, 1, 1, 2, 2, 1, 1, 1]), 7.0, config).tolist() == [1] * 9


def test_a_score_of_zero_forbids_no_label():
    scores = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    labels = label_frames(scores, 1.0, TimelineConfig(switch_cost=50.0, min_seconds=0.0))
    assert labels.tolist() == [0, 0, 0]


def test_live_labels_are_those_of_the_frames_where_a_change_costs_nothing():
    numbers = [1, 2, 0, 2, 2, 1]
    steady = SteadyLabel(3, switch_cost=0.0)
    assert [steady(scores) for scores in scores_of(numbers)] == numbers


def test_live_labels_do_not_flicker_and_change_in_the_end():
    steady = SteadyLabel(3, switch_cost=3.0)
    labels = [steady(scores) for scores in scores_of([1, 1, 1, 2, 1, 1, 2, 2, 2, 2])]
    assert labels[:7] == [1] * 7
    assert labels[-1] == 2


def test_the_last_live_label_is_the_one_of_the_whole_timeline():
    scores = np.random.default_rng(5).dirichlet([1, 1, 1], size=83)
    for frames in range(1, 84):
        steady = SteadyLabel(3, switch_cost=1.5)
        live = [steady(each) for each in scores[:frames]]
        whole = label_frames(scores[:frames], 1.0, TimelineConfig(switch_cost=1.5, min_seconds=0.0))
        assert live[-1] == whole[-1]


def test_a_stream_of_any_length_keeps_small_numbers():
    steady = SteadyLabel(3, switch_cost=3.0)
    for scores in np.tile(scores_of([1, 2]), (2000, 1)):
        steady(scores)
    assert np.abs(steady._best).max() < 10
