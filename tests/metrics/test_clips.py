import json

import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import score_clips, wilson_interval


@pytest.mark.parametrize(
    ("right", "total", "lower", "upper"),
    # Newcombe 1998, table I, method 3
    [(81, 263, 25.53, 36.62), (15, 148, 6.24, 16.05), (0, 20, 0.0, 16.11), (1, 29, 0.61, 17.18)],
)
def test_wilson_intervals_are_those_of_the_literature(right, total, lower, upper):
    assert wilson_interval(right, total) == pytest.approx((lower, upper), abs=0.006)
    mirrored = wilson_interval(total - right, total)
    assert mirrored == pytest.approx((100 - upper, 100 - lower), abs=0.006)


def test_independent_clips_have_wilsons_interval():
    scores = score_clips(["a", "b", "b", "c", "a"], ["a", "b", "c", "c", "a"])
    assert scores.accuracy == pytest.approx(80.0)
    assert scores.interval == wilson_interval(4, 5)
    assert scores.num_examples == 5
    assert scores.signature == "clips:5|interval:wilson,95%"


def test_an_interval_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(6)
    covered = 0
    for _ in range(400):
        lower, upper = wilson_interval(int(generator.binomial(37, 0.72)), 37)
        covered += lower <= 72 <= upper
    assert 0.92 < covered / 400 < 0.98


def test_clips_that_are_right_or_wrong_together_say_less():
    generator = np.random.default_rng(7)
    group_right = generator.random(31) < 0.6
    groups, right = np.repeat(np.arange(31), 11), np.repeat(group_right, 11)
    alone = score_clips(right, np.ones_like(right))
    grouped = score_clips(right, np.ones_like(right), groups)
    assert grouped.accuracy == alone.accuracy
    assert alone.interval is not None
    assert grouped.interval is not None
    ratio = (grouped.interval[1] - grouped.interval[0]) / (alone.interval[1] - alone.interval[0])
    assert ratio == pytest.approx(np.sqrt(11), rel=0.15)
    assert "bootstrap-of-31-groups,bs:1000,seed:0,95%" in grouped.signature


def test_groups_of_one_clip_are_independent_clips():
    right = np.random.default_rng(8).random(201) < 0.7
    alone, grouped = (score_clips(right, np.ones_like(right), groups) for groups in (None, np.arange(201)))
    assert grouped.interval == pytest.approx(alone.interval, abs=1.5)


def test_groups_that_agree_leave_wilsons_interval_over_groups():
    # Drawing groups would give 100 to 100, which nobody may believe of three people.
    scores = score_clips([1] * 30, [1] * 30, ["anna", "ben", "cleo"] * 10)
    assert scores.interval == pytest.approx(wilson_interval(3, 3))
    assert "wilson-of-3-groups" in scores.signature


def test_one_group_has_no_interval():
    scores = score_clips([1, 0, 1], [1, 1, 1], ["anna"] * 3)
    assert scores.interval is None
    assert "absent (one group)" in scores.signature
    assert scores.to_dict("clip_accuracy")["clip_accuracy_interval"] is None


def test_scores_are_one_json_object_under_the_name_that_the_application_gives():
    scores = score_clips(np.array([1, 2, 2]), np.array([1, 2, 1]))
    fields = json.loads(json.dumps(scores.to_dict("clip_accuracy")))
    assert list(fields) == ["clip_accuracy", "clip_accuracy_interval", "num_examples", "signature"]
    assert scores.to_dict()["accuracy"] == pytest.approx(200 / 3)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(DataError, match="2 predicted and 1 true"):
        score_clips([1, 2], [1])
    with pytest.raises(DataError, match="1 predicted and 1 true labels and 2 groups"):
        score_clips([1], [1], ["a", "b"])
    with pytest.raises(DataError, match="no clips"):
        score_clips([], [])
    with pytest.raises(DataError, match="5 right among 3"):
        wilson_interval(5, 3)
    with pytest.raises(ConfigError, match="95"):
        score_clips([1], [1], confidence=95)
