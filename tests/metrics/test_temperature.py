import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import fit_temperature, negative_log_likelihood, score_calibration, tempered_softmax


def honest_logits(count, num_labels, seed=0):
    """Logits and labels drawn with just their probabilities."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (count, num_labels))
    labels = [generator.choice(num_labels, p=probabilities) for probabilities in tempered_softmax(logits)]
    return logits, np.array(labels)


@pytest.mark.parametrize("factor", [0.1, 0.4, 1.0, 3.0, 20.0])
def test_a_network_that_is_too_sure_is_cooled_by_as_much(factor):
    logits, labels = honest_logits(2001, 7)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor * fit_temperature(logits, labels))
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor, rel=0.1)


def test_no_other_temperature_has_less_loss():
    logits, labels = honest_logits(53, 5, seed=1)
    best = fit_temperature(2.5 * logits, labels)
    losses = [negative_log_likelihood(2.5 * logits, labels, each) for each in np.geomspace(0.05, 50, 401)]
    least = negative_log_likelihood(2.5 * logits, labels, best)
    assert least <= min(losses)
    assert least == pytest.approx(min(losses), abs=1e-3)


def test_the_loss_is_minus_the_logarithm_of_the_probability():
    logits, labels = honest_logits(11, 3)
    expected = -np.log(tempered_softmax(logits, 1.7)[np.arange(11), labels]).mean()
    assert negative_log_likelihood(logits, labels, 1.7) == pytest.approx(expected)


def test_a_fitted_temperature_makes_confidence_honest_and_changes_no_label():
    logits, labels = honest_logits(3001, 5)
    boasting = 4 * logits
    before, after = tempered_softmax(boasting), tempered_softmax(boasting, fit_temperature(boasting, labels))
    np.testing.assert_array_equal(before.argmax(axis=1), after.argmax(axis=1))
    error_before, error_after = (
        score_calibration(each.max(axis=1), each.argmax(axis=1) == labels).ece for each in (before, after)
    )
    assert error_before > 15.0
    assert error_after < 3.0


def test_nothing_is_learned_where_every_label_is_right():
    logits = np.array([[3.0, 1.0, 0.0], [0.0, 0.5, 0.1]])
    assert fit_temperature(logits, np.array([0, 1])) == 1.0


def test_a_network_that_is_always_wrong_is_not_believed():
    temperature = fit_temperature(np.array([[9.0, 1.0, 0.0]] * 3), np.array([2, 2, 2]))
    assert temperature == pytest.approx(100.0)


def test_huge_logits_do_no_harm():
    logits, labels = honest_logits(31, 3)
    logits[0] = [-1e30, 1e30, 0.0]
    labels[0] = 1
    assert 0.01 <= fit_temperature(logits, labels) <= 100.0
    assert tempered_softmax(np.array([1e30, -1e30])).tolist() == [1.0, 0.0]


def test_probabilities_sum_to_one_along_the_last_axis():
    probabilities = tempered_softmax(np.random.default_rng(2).normal(size=(2, 5, 3)).astype(np.float32), 0.7)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=-1), np.ones((2, 5)))


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((2, 3)), [0], r"shape \(2, 3\).*shape \(1,\)"),
        (np.zeros((0, 3)), [], "no logits"),
        (np.array([[0.0, np.nan]]), [0], "not a finite number"),
        (np.zeros((1, 3)), [3], "Label 3 .*0 to 2"),
    ],
)
def test_logits_that_fit_no_labels_are_refused(logits, labels, message):
    with pytest.raises(DataError, match=message):
        fit_temperature(logits, np.array(labels, int))


def test_temperatures_are_above_zero():
    with pytest.raises(ConfigError, match="it is 0"):
        tempered_softmax(np.zeros(3), 0.0)
