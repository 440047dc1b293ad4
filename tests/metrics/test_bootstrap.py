import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import bootstrap_interval


def test_the_interval_of_normal_values_is_two_standard_errors_either_side_of_their_mean():
    values = np.random.default_rng(3).normal(50.0, 10.0, size=401)
    lower, upper = bootstrap_interval(values, num_samples=2000)
    standard_error = values.std() / np.sqrt(values.size)
    assert lower == pytest.approx(values.mean() - 1.96 * standard_error, abs=0.2 * standard_error)
    assert upper == pytest.approx(values.mean() + 1.96 * standard_error, abs=0.2 * standard_error)


def test_more_confidence_needs_more_room():
    values = [1.0, 2.0, 5.0, 9.0, 4.0]
    narrow, wide = bootstrap_interval(values, confidence=0.5), bootstrap_interval(values, confidence=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_the_same_seed_gives_the_same_interval():
    values = [1.0, 2.0, 5.0]
    assert bootstrap_interval(values, seed=7) == bootstrap_interval(values, seed=7)
    assert bootstrap_interval(values, seed=7, num_samples=13) != bootstrap_interval(values, seed=8, num_samples=13)


def test_nothing_has_no_interval():
    with pytest.raises(DataError):
        bootstrap_interval([])


def test_certainty_is_no_confidence():
    with pytest.raises(ConfigError, match=r"1\.0"):
        bootstrap_interval([1.0], confidence=1.0)


def test_examples_of_one_group_are_drawn_together():
    generator = np.random.default_rng(4)
    values = np.repeat(generator.normal(50.0, 10.0, size=61), 9)
    groups = [f"day {number // 9}" for number in range(values.size)]
    alone, together = (bootstrap_interval(values, each, num_samples=4000) for each in (None, groups))
    assert (together[1] - together[0]) / (alone[1] - alone[0]) == pytest.approx(3.0, rel=0.15)


def test_groups_weigh_by_their_examples():
    values, groups = [0.0] + [100.0] * 99, ["small"] + ["large"] * 99
    # Half of all draws hold each group once: 99 right of 100, not one group of two.
    assert bootstrap_interval(values, groups, confidence=0.3) == pytest.approx((99.0, 99.0))


def test_every_value_belongs_to_a_group():
    with pytest.raises(DataError, match="1 groups for 2 values"):
        bootstrap_interval([1.0, 2.0], ["a"])
