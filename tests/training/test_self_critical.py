import numpy as np
import pytest

from ostinato.training import advantages, drawn_targets


def test_an_advantage_is_what_a_reward_has_over_the_mean_of_the_others():
    rewards = np.array([[[3, 1, 1, 1], [2, 4, 0, 0]]], np.float32)
    expected = [[[2, -2 / 3, -2 / 3, -2 / 3], [2 - 4 / 3, 4 - 2 / 3, -2, -2]]]
    np.testing.assert_allclose(advantages(rewards), expected, rtol=1e-6)


def test_praise_for_one_is_blame_for_the_others():
    rewards = np.random.default_rng(0).random((5, 3))
    np.testing.assert_allclose(advantages(rewards).sum(axis=1), 0, atol=1e-12)
    assert not advantages(np.full((2, 7), 0.5)).any()


@pytest.mark.parametrize("start", [9, [9, 9], np.array([9, 9])])
def test_every_written_token_counts_and_no_padding(start):
    ids = np.array([[[5, 2, 0, 0], [6, 7, 2, 0]], [[2, 0, 0, 0], [5, 5, 6, 0]]])  # the last of them was cut off
    read_ids, written, weights = drawn_targets(ids, np.array([[1.5, -2], [0, 3]]), start=start, pad=0)
    np.testing.assert_array_equal(written, ids[:, :, :3])
    np.testing.assert_array_equal(read_ids[0], [[9, 5, 2], [9, 6, 7]])
    np.testing.assert_array_equal(read_ids[1], [[9, 2, 0], [9, 5, 5]])
    np.testing.assert_array_equal(weights[0], [[1.5, 1.5, 0], [-2, -2, -2]])
    np.testing.assert_array_equal(weights[1], [[0, 0, 0], [3, 3, 3]])
    assert (read_ids.dtype, written.dtype, weights.dtype) == (np.int32, np.int32, np.float32)


def test_each_input_may_have_a_start_of_its_own():
    read_ids, _, _ = drawn_targets(np.full((2, 3, 4), 6), np.ones((2, 3)), start=[4, 5], pad=0)
    np.testing.assert_array_equal(read_ids[:, :, 0], [[4, 4, 4], [5, 5, 5]])


def test_where_nothing_was_written_one_place_is_left():
    _, written, weights = drawn_targets(np.zeros((1, 2, 5), np.int64), np.ones((1, 2)), start=1, pad=0)
    assert written.shape == (1, 2, 1)
    assert not weights.any()
