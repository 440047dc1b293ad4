import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_array_equal

from ostinato.layers.rows import Rows

TOKENS = np.arange(6).reshape(2, 3)
GOING = np.array([[False, True, True], [False, False, True]])
X = np.arange(24.0).reshape(2, 3, 4)

needs_sizes_of_values = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="sizes depend on values")


def test_all_sequences_are_rows_and_come_back():
    rows = Rows(TOKENS)
    merged = rows.merge(ops.convert_to_tensor(X))
    assert_array_equal(ops.convert_to_numpy(merged), X.reshape(6, 4))
    assert_array_equal(ops.convert_to_numpy(rows.spread(merged)), X)
    assert_array_equal(ops.convert_to_numpy(rows.inputs), [0, 0, 0, 1, 1, 1])


@needs_sizes_of_values
def test_sequences_that_are_not_going_are_left_out():
    rows = Rows(TOKENS, ops.convert_to_tensor(GOING))
    merged = rows.merge(ops.convert_to_tensor(X))
    assert_array_equal(ops.convert_to_numpy(merged), X[GOING])
    assert_array_equal(ops.convert_to_numpy(rows.inputs), [0, 0, 1])
    spread = ops.convert_to_numpy(rows.spread(merged))
    assert_array_equal(spread[GOING], X[GOING])
    assert set(spread[~GOING][:, 0]) <= set(X[GOING][:, 0])  # rows of others: numbers that are finite
