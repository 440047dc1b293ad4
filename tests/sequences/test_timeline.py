import itertools
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ostinato.sequences import smooth_labels, stretches_of


def random_log_probs(seed, frames, labels, scale=2.0):
    logits = np.random.default_rng(seed).normal(0, scale, (frames, labels))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("switch_cost", [0.0, 0.7, 2.5])
@pytest.mark.parametrize("seed", range(5))
def test_the_path_is_the_best_of_all_paths(seed, switch_cost):
    log_probs = random_log_probs(seed, 6, 3)

    def value(path):
        changes = sum(one != next_one for one, next_one in itertools.pairwise(path))
        return log_probs[np.arange(6), path].sum() - switch_cost * changes

    best = max(itertools.product(range(3), repeat=6), key=lambda path: value(list(path)))
    assert_array_equal(smooth_labels(log_probs, switch_cost=switch_cost), best)


def test_without_a_cost_each_frame_has_its_most_probable_label():
    log_probs = random_log_probs(9, 50, 4)
    assert_array_equal(smooth_labels(log_probs), log_probs.argmax(axis=1))


def test_a_label_that_flickers_is_smoothed_away_and_one_that_stays_is_not():
    log_probs = np.log(np.full((30, 2), 0.1) + 0.8 * np.eye(2)[[0] * 10 + [1] + [0] * 9 + [1] * 10])
    assert_array_equal(smooth_labels(log_probs, switch_cost=4), [0] * 20 + [1] * 10)


def absorbed_slowly(log_probs, min_frames):
    """The definition, word by word."""
    labels = log_probs.argmax(axis=1)
    while True:
        stretches = stretches_of(labels)
        place = min(range(len(stretches)), key=lambda i: stretches[i].end - stretches[i].start)
        start, end, _ = stretches[place]
        if end - start >= min_frames or len(stretches) == 1:
            return labels
        neighbours = [stretches[i].label for i in (place - 1, place + 1) if 0 <= i < len(stretches)]
        labels[start:end] = max(neighbours, key=lambda label: log_probs[start:end, label].sum())


@pytest.mark.parametrize("min_frames", [2, 3, 6, 40])
@pytest.mark.parametrize("seed", range(6))
def test_short_stretches_go_to_the_more_probable_neighbour_the_shortest_first(seed, min_frames):
    log_probs = random_log_probs(seed, 31, 3)
    labels = smooth_labels(log_probs, min_frames=min_frames)
    assert_array_equal(labels, absorbed_slowly(log_probs, min_frames))
    lengths = [stretch.end - stretch.start for stretch in stretches_of(labels)]
    assert sum(lengths) == 31
    assert len(lengths) == 1 or min(lengths) >= min_frames


def test_hours_that_flicker_at_every_frame_are_smoothed_in_seconds():
    log_probs = random_log_probs(2, 36_000, 3)
    begin = time.monotonic()
    labels = smooth_labels(log_probs, min_frames=25)
    assert time.monotonic() - begin < 10  # with a cost that grows with the square of the frames: many minutes
    assert min(stretch.end - stretch.start for stretch in stretches_of(labels)) >= 25


def test_stretches_cover_all_frames_in_order():
    assert stretches_of(np.array([2, 2, 0, 1, 1, 1])) == [(0, 2, 2), (2, 3, 0), (3, 6, 1)]
    assert stretches_of(np.array([5])) == [(0, 1, 5)]


def test_no_frames_have_no_labels():
    assert smooth_labels(np.zeros((0, 3)), switch_cost=1, min_frames=4).shape == (0,)
    assert stretches_of(np.zeros(0, int)) == []


def test_one_frame_keeps_its_label_however_long_a_stretch_must_be():
    assert_array_equal(
        smooth_labels(random_log_probs(1, 1, 3), switch_cost=9, min_frames=8), [random_log_probs(1, 1, 3).argmax()]
    )
