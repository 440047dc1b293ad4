import numpy as np
from keras import ops
from numpy.testing import assert_array_equal

from ostinato.decoding.beams import choose_beams


def test_beams_are_chosen_input_by_input_from_every_tensor_of_a_nest():
    states = (np.arange(12).reshape(2, 3, 2), np.arange(6.0).reshape(2, 3))
    indices = np.array([[2, 0], [1, 1]], "int32")
    chosen = choose_beams(tuple(map(ops.convert_to_tensor, states)), ops.convert_to_tensor(indices))
    for whole, part in zip(states, chosen, strict=True):
        expected = [item[rows] for item, rows in zip(whole, indices, strict=True)]
        assert_array_equal(ops.convert_to_numpy(part), np.stack(expected))


def test_nothing_is_chosen_from_nothing():
    assert choose_beams((), ops.zeros((2, 1), "int32")) == ()
