import json

import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import reliability_table, score_calibration


def slow_ece(confidences, correct, num_bins):
    error = 0.0
    for number in range(num_bins):
        inside = [
            (confidence, right)
            for confidence, right in zip(confidences, correct, strict=True)
            if number / num_bins < confidence <= (number + 1) / num_bins or (number == 0 and confidence == 0)
        ]
        if inside:
            mean_confidence, accuracy = np.mean(inside, axis=0)
            error += len(inside) / len(confidences) * abs(accuracy - mean_confidence)
    return 100 * error


@pytest.mark.parametrize("num_bins", [1, 7, 15])
def test_the_error_is_that_of_going_through_the_bins(num_bins):
    generator = np.random.default_rng(9)
    confidences = generator.random(301)
    correct = generator.random(301) < confidences**2
    scores = score_calibration(confidences, correct, num_bins=num_bins)
    assert scores.ece == pytest.approx(slow_ece(confidences, correct, num_bins))
    assert sum(each.count for each in scores.bins) == 301
    assert f"ece:{num_bins}-equal-bins" in scores.signature


def test_an_example_counted_by_hand():
    # 90 %: right half the time; 30 %: right once in four
    scores = score_calibration([0.9, 0.9, 0.3, 0.3, 0.3, 0.3], [True, False, True, False, False, False])
    assert scores.ece == pytest.approx((2 * 40 + 4 * 5) / 6)


def test_a_confidence_on_the_border_belongs_to_the_bin_below():
    bins = score_calibration([0.0, 0.25, 0.5, 1.0], [True] * 4, num_bins=4).bins
    assert [each.count for each in bins] == [2, 1, 0, 1]
    assert (bins[1].lower, bins[1].upper) == (0.25, 0.5)


def test_honest_confidences_have_a_small_error_and_boasting_has_a_great_one():
    generator = np.random.default_rng(10)
    confidences = generator.uniform(0.2, 1.0, 20_001)
    correct = generator.random(20_001) < confidences
    assert score_calibration(confidences, correct).ece < 2.0
    assert score_calibration(np.sqrt(confidences), correct).ece > 10.0
    assert score_calibration([1.0] * 7, [True] * 7).ece == 0.0


def test_the_table_has_a_line_for_each_bin_with_examples():
    lines = reliability_table(score_calibration([0.9, 0.9, 0.3], [True, False, True]).bins).splitlines()
    assert len(lines) == 3
    assert lines[1].split() == ["26.7-", "33.3", "1", "30.0", "100.0", "+70.0"]
    assert lines[2].split() == ["86.7-", "93.3", "2", "90.0", "50.0", "-40.0"]


def test_scores_are_one_json_object_of_plain_numbers():
    fields = json.loads(json.dumps(score_calibration(np.array([0.5, 1.0], np.float32), [True, True]).to_dict()))
    assert list(fields) == ["ece", "num_examples", "signature"]


def test_what_is_no_confidence_is_named():
    with pytest.raises(DataError, match=r"one is 1\.5"):
        score_calibration([0.5, 1.5], [True, True])
    with pytest.raises(DataError, match="one is nan"):
        score_calibration([0.5, np.nan], [True, True])
    with pytest.raises(DataError, match=r"shape \(2,\).*shape \(1,\)"):
        score_calibration([0.5, 0.5], [True])
    with pytest.raises(DataError, match="no confidences"):
        score_calibration([], [])
    with pytest.raises(ConfigError, match="num_bins is 0"):
        score_calibration([0.5], [True], num_bins=0)


def test_rounding_of_short_floats_is_no_fault():
    assert score_calibration([1.0000001], [True]).ece == 0.0
