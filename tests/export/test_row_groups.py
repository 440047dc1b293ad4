import numpy as np
import pytest
import tensorflow as tf

from ostinato.export.row_groups import fold_groups, in_groups

SIZE = 3


def doubled(group):
    text = tf.strings.as_string(group["x"][:, 0])
    return {"twice": 2 * group["x"], "text": text, "rows": tf.fill(tf.shape(text), tf.shape(text)[0])}


def answer(rows, function=doubled):
    return in_groups(function, rows, SIZE)


def numbers(count):
    return tf.reshape(tf.range(count * 2, dtype=tf.float32), [count, 2])


@pytest.fixture(params=["eager", "graph"])
def run(request):
    return answer if request.param == "eager" else tf.function(answer, autograph=False)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_groups_answer_as_the_whole_does(run, count):
    rows = {"x": numbers(count)}
    found, expected = run(rows), doubled(rows)
    np.testing.assert_array_equal(found["twice"], expected["twice"])
    np.testing.assert_array_equal(found["text"], expected["text"])


def test_no_group_has_more_rows_than_allowed(run):
    assert list(run({"x": numbers(7)})["rows"].numpy()) == [3, 3, 3, 3, 3, 3, 1]


def test_of_no_rows_the_answer_is_empty_and_has_its_shape(run):
    found = run({"x": numbers(0)})
    assert found["twice"].shape == (0, 2)
    assert found["text"].shape == (0,)
    assert found["text"].dtype == tf.string


def test_tensors_with_different_numbers_of_rows_are_refused(run):
    with pytest.raises(tf.errors.InvalidArgumentError, match="x, y differ in dimension 0"):
        run({"x": numbers(4), "y": numbers(1)})


def sums(x, size):
    def add(group, carried):
        running = carried["sum"][:, None] + tf.cumsum(group["x"], axis=1)
        return {"sums": running}, {"sum": running[:, -1]}

    found, carried = fold_groups(add, {"x": x}, {"sum": tf.zeros(tf.shape(x)[0])}, size, axis=1)
    return found["sums"], carried["sum"]


@pytest.mark.parametrize("size", [1, 2, 5, 8])
@pytest.mark.parametrize("wrap", [lambda function: function, tf.function], ids=["eager", "graph"])
def test_what_one_group_leaves_reaches_the_next(wrap, size):
    x = tf.random.stateless_normal([4, 5], [1, 2])
    whole, last = wrap(sums)(x, tf.constant(size))
    np.testing.assert_allclose(whole, np.cumsum(x, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(last, whole[:, -1])


def test_groups_may_lie_within_groups():
    def inner(group):
        return dict(zip(("sums", "last"), sums(group["x"], 2), strict=True))

    x = tf.random.stateless_normal([5, 5], [3, 4])
    found = tf.function(lambda x: in_groups(inner, {"x": x}, 2))(x)
    np.testing.assert_allclose(found["sums"], np.cumsum(x, axis=1), rtol=1e-5)
    np.testing.assert_allclose(found["last"], np.sum(x, axis=1), rtol=1e-5)
