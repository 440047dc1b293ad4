import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_array_equal

from ostinato.gathering import take, take_each


def test_taking_is_indexing_along_the_first_axis():
    x = np.arange(24).reshape(4, 3, 2)
    places = np.array([[3, 0], [1, 3]])
    assert_array_equal(ops.convert_to_numpy(take(ops.convert_to_tensor(x), ops.convert_to_tensor(places))), x[places])


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 2), (0, 4, 5)])
def test_taking_of_each_input_is_indexing_it_alone(shape, axis):
    x = np.arange(np.prod(shape)).reshape(shape)
    places = np.random.default_rng(0).integers(0, shape[axis], (shape[0], 7))
    found = ops.convert_to_numpy(take_each(ops.convert_to_tensor(x), ops.convert_to_tensor(places), axis))
    assert found.shape == (*shape[:axis], 7, *shape[axis + 1 :])
    for index, (each, where) in enumerate(zip(x, places, strict=True)):
        assert_array_equal(found[index], np.take(each, where, axis=axis - 1))
