import itertools

import numpy as np
import pytest
import tensorflow as tf

from ostinato.text.graph_viterbi import best_scores, last_lengths, on_path


def random_scores(seed, lengths, span, values):
    """Scores [N, L] of texts of these lengths, and their starts: now and then no piece, but always one of length 1."""
    generator = np.random.default_rng(seed)
    rows: list[list[float]] = []
    starts = []
    for length in lengths:
        starts.append(len(rows))
        rows.append([-np.inf] * span)
        for place in range(1, length + 1):
            row = generator.choice(values, span)
            row[1:][generator.random(span - 1) < 0.4] = -np.inf
            row[place:] = -np.inf
            rows.append(row)
    return np.array(rows, np.float32), np.array(starts, np.int32)


def segmented(scores, starts, lengths):
    count = len(scores)
    best = best_scores(tf.constant(scores), tf.constant(starts), max(lengths))
    last = tf.tensor_scatter_nd_update(last_lengths(tf.constant(scores), best), starts[:, None], np.zeros_like(starts))
    marked = on_path(tf.range(count) - last, tf.constant(starts + np.array(lengths, np.int32)), max(lengths))
    return best.numpy(), marked.numpy()


def all_paths(length, span):
    for cuts in itertools.product([False, True], repeat=length - 1):
        path = [0, *(place for place, cut in enumerate(cuts, start=1) if cut), length]
        if max(np.diff(path)) <= span:
            yield path


def test_the_best_of_all_segmentations_is_found():
    lengths = [1, 9, 4, 7]
    scores, starts = random_scores(1, lengths, 5, -(np.arange(1.0, 40.0) ** 1.3))
    best, marked = segmented(scores, starts, lengths)
    for start, length in zip(starts, lengths, strict=True):
        sums = {
            tuple(path): sum(scores[start + end, end - begin - 1] for begin, end in itertools.pairwise(path))
            for path in all_paths(length, 5)
        }
        assert best[start + length] == pytest.approx(max(sums.values()))
        assert tuple(np.flatnonzero(marked[start : start + length + 1])) == max(sums, key=lambda path: sums[path])


def test_sums_and_choices_are_those_of_float32_one_character_after_the_other():
    lengths = [3, 200, 0, 17, 65]
    # equal but for rounding: each way through a text sums to the same
    scores, starts = random_scores(2, lengths, 7, [0.0])
    scores -= np.float32(0.1) * np.arange(1, 8, dtype=np.float32)
    best, marked = segmented(scores, starts, lengths)
    for start, length in zip(starts, lengths, strict=True):
        sums, last = [np.float32(0)], [0]
        for place in range(1, length + 1):
            ways = {n: sums[place - n] + scores[start + place, n - 1] for n in range(1, min(7, place) + 1)}
            sums.append(max(ways.values()))
            last.append(max(n for n, way in ways.items() if way == sums[-1]))
        assert best[start : start + length + 1].tolist() == sums
        path = [length]
        while path[-1]:
            path.append(path[-1] - last[path[-1]])
        assert np.flatnonzero(marked[start : start + length + 1]).tolist() == path[::-1]
