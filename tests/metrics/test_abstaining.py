import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import abstain_threshold


def test_an_example_counted_by_hand():
    confidences, correct = [0.9, 0.4, 0.8, 0.6, 0.7], [True, False, True, True, False]
    found = abstain_threshold(confidences, correct, precision=75)  # 0.9, 0.8, 0.7 (wrong), 0.6: three of four
    assert found is not None
    assert (found.precision, found.coverage) == (75.0, 80.0)
    assert found.threshold == pytest.approx(0.5)  # between 0.6 and 0.4
    stricter = abstain_threshold(confidences, correct, precision=76)
    assert stricter is not None
    assert (stricter.precision, stricter.coverage) == (100.0, 40.0)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("precision", [50, 80, 95, 100])
def test_no_other_threshold_answers_more_with_that_precision(seed, precision):
    generator = np.random.default_rng(seed)
    confidences = generator.integers(1, 12, size=23) / 12  # with ties
    correct = generator.random(23) < confidences
    found = abstain_threshold(confidences, correct, precision=precision)
    possible = []
    for threshold in {0.0, *confidences}:
        answered = confidences >= threshold
        if 100 * correct[answered].mean() >= precision:
            possible.append(100 * answered.mean())
    if found is None:
        assert possible == []
        return
    assert found.coverage == pytest.approx(max(possible))
    answered = confidences >= found.threshold
    assert 100 * answered.mean() == pytest.approx(found.coverage)
    assert 100 * correct[answered].mean() == pytest.approx(found.precision)
    assert found.precision >= precision


def test_equal_confidences_are_answered_together():
    assert abstain_threshold([0.8, 0.8, 0.8], [True, True, False], precision=90) is None


def test_where_every_answer_may_be_given_nothing_is_kept_back():
    found = abstain_threshold([0.9, 0.3, 0.5], [True, True, True], precision=99)
    assert found is not None
    assert (found.threshold, found.coverage) == (0.0, 100.0)


def test_neighbouring_floats_are_told_apart():
    low = 0.5
    high = np.nextafter(low, 1.0)
    found = abstain_threshold([high, low], [True, False], precision=100)
    assert found is not None
    assert low < found.threshold <= high


def test_a_precision_is_a_percentage():
    for precision in (0.95, 0, 101):
        with pytest.raises(ConfigError, match=f"it is {precision}"):
            abstain_threshold([0.5], [True], precision=precision)
    with pytest.raises(DataError):
        abstain_threshold([], [], precision=95)
