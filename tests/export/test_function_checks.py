import pytest
import tensorflow as tf

from ostinato.export.function_checks import check_functions


@pytest.fixture
def function():
    @tf.function(input_signature=[tf.TensorSpec([None])], autograph=False)
    def halved(x):
        with tf.control_dependencies([tf.debugging.assert_greater(tf.size(x), 0)]):
            return x / 2, tf.reduce_sum(x)

    return halved.get_concrete_function().function_def


def test_a_function_that_hangs_together_is_right(function):
    check_functions([function])
    check_functions([])


def test_an_input_that_no_node_makes_is_found(function):
    node = next(node for node in function.node_def if node.input)
    node.input[0] = "elsewhere:z:0"
    with pytest.raises(ValueError, match="elsewhere:z:0 comes from nowhere"):
        check_functions([function])


def test_a_result_that_is_missing_is_found(function):
    del function.ret[next(iter(function.ret))]
    with pytest.raises(ValueError, match="does not return what it says"):
        check_functions([function])
