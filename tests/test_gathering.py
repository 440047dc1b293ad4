import numpy as np
from keras import ops
from numpy.testing import assert_array_equal

from ostinato.gathering import take


def test_taking_is_indexing_along_the_first_axis():
    x = np.arange(24).reshape(4, 3, 2)
    places = np.array([[3, 0], [1, 3]])
    assert_array_equal(ops.convert_to_numpy(take(ops.convert_to_tensor(x), ops.convert_to_tensor(places))), x[places])
