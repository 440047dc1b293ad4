import keras
import numpy as np
import pytest

from ostinato.training import bucketed_batches, feed, feed_epochs, shift


@pytest.fixture
def lengths():
    return np.random.default_rng(0).geometric(0.08, size=4001)


def padding(batches, lengths):
    """Tokens that are computed for nothing, for each that counts."""
    padded = sum(lengths[batch].max() * len(batch) for batch in batches)
    return padded / lengths.sum() - 1.0


@pytest.mark.parametrize("limit", [{"batch_size": 17}, {"max_tokens": 300}])
def test_each_example_comes_once(lengths, limit):
    batches = bucketed_batches(lengths, **limit, seed=1, epoch=0)
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert min(map(len, batches)) > 0


@pytest.mark.parametrize("limit", [{"batch_size": 17}, {"max_tokens": 300}])
def test_seed_and_epoch_alone_decide_on_the_order(lengths, limit):
    def order(seed, epoch):
        np.random.seed(None)
        return [batch.tolist() for batch in bucketed_batches(lengths, **limit, seed=seed, epoch=epoch)]

    assert order(1, 2) == order(1, 2)
    orders = [order(1, 2), order(1, 3), order(2, 2), order(2, 1)]
    assert all(one != other for i, one in enumerate(orders) for other in orders[:i])


def test_an_epoch_brings_other_batches_not_only_another_order_of_them(lengths):
    first, second = (bucketed_batches(lengths, batch_size=17, seed=1, epoch=epoch) for epoch in (0, 1))
    assert not {frozenset(batch) for batch in first} & {frozenset(batch) for batch in second}


def test_batches_have_the_size_asked_for(lengths):
    sizes = [len(batch) for batch in bucketed_batches(lengths, batch_size=17, seed=1, epoch=0)]
    assert max(sizes) == 17
    assert len(sizes) == -(-4001 // 17)


def test_no_batch_holds_more_tokens_than_allowed_padding_included(lengths):
    batches = bucketed_batches(lengths, max_tokens=300, seed=1, epoch=0)
    assert max(lengths[batch].max() * len(batch) for batch in batches) <= 300
    assert np.mean([lengths[batch].max() * len(batch) for batch in batches]) > 240  # and few have much less


def test_an_example_longer_than_allowed_is_a_batch_alone():
    lengths = np.array([5, 100, 3, 90, 4])
    batches = bucketed_batches(lengths, max_tokens=12, seed=0, epoch=0)
    alone = [batch.tolist() for batch in batches if lengths[batch].max() > 12]
    assert sorted(alone) == [[1], [3]]
    assert sorted(np.concatenate(batches)) == [0, 1, 2, 3, 4]


def test_padding_is_a_tenth_of_what_unsorted_batches_need(lengths):
    order = np.random.default_rng(1).permutation(len(lengths))
    unsorted = padding([order[i : i + 32] for i in range(0, len(order), 32)], lengths)
    assert unsorted > 1.0
    assert padding(bucketed_batches(lengths, batch_size=32, seed=1, epoch=0), lengths) < 0.1 * unsorted
    assert padding(bucketed_batches(lengths, max_tokens=32 * 12, seed=1, epoch=0), lengths) < 0.1 * unsorted


def test_short_and_long_batches_are_mixed(lengths):
    greatest = [lengths[batch].max() for batch in bucketed_batches(lengths, batch_size=17, seed=1, epoch=0)]
    assert abs(np.corrcoef(greatest[:-1], greatest[1:])[0, 1]) < 0.2


@pytest.mark.parametrize("limit", [{"batch_size": 3}, {"max_tokens": 3}])
def test_no_examples_make_no_batches(limit):
    assert bucketed_batches(np.array([], int), **limit, seed=0, epoch=0) == []


@pytest.mark.parametrize("limits", [{}, {"batch_size": 3, "max_tokens": 3}])
def test_one_limit_must_be_given(limits):
    with pytest.raises(ValueError, match="either"):
        bucketed_batches(np.array([1, 2]), **limits, seed=0, epoch=0)


tensorflow_only = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="graphs are TensorFlow's")


def batches_of_many_shapes():
    generator = np.random.default_rng(0)
    for size, places, time in [(3, 5, 7), (2, 4, 9), (3, 5, 1), (1, 1, 2), (5, 3, 7)]:
        features = generator.normal(size=(size, places, 4)).astype(np.float32)
        ids = generator.integers(11, size=(size, time)).astype(np.int32)
        yield (features, ids), ids, np.ones(ids.shape, np.float32)


@tensorflow_only
def test_what_is_fed_is_what_was_made():
    fed = list(feed(batches_of_many_shapes))
    assert len(fed) == 5
    for found, expected in zip(fed, batches_of_many_shapes(), strict=True):
        keras.tree.assert_same_structure(found, expected)
        for one, other in zip(keras.tree.flatten(found), keras.tree.flatten(expected), strict=True):
            np.testing.assert_array_equal(one.numpy(), other)
            assert one.dtype == other.dtype


@tensorflow_only
def test_a_feed_can_be_read_again():
    fed = feed(batches_of_many_shapes)
    assert len(list(fed)) == len(list(fed)) == 5


def test_each_epoch_has_its_own_batches_from_one_pipeline():
    def batches(epoch):
        for size in range(1, 3 + epoch):
            yield (np.full((size, epoch + 1), 10 * epoch + size),)

    fed = feed_epochs(batches)
    for epoch in (0, 2, 1, 1):
        for (found,), (expected,) in zip(fed(epoch), batches(epoch), strict=True):
            np.testing.assert_array_equal(found, expected)
    if keras.backend.backend() == "tensorflow":
        assert fed(3) is fed(4), "to make it takes longer than to train on a few batches"


@tensorflow_only
def test_batches_that_a_model_makes_are_made_one_early_at_most():
    """What is made while another thread trains would depend on chance."""
    made = []

    def batches():
        for number in range(7):
            made.append(number)
            yield (np.array([number]),)

    iterator = iter(feed(batches, ahead=0))
    made.clear()  # one was made to see its shape
    for number in range(6):
        (batch,) = next(iterator)
        assert int(batch[0]) == number
        assert max(made) <= number + 1


def test_batches_of_many_shapes_are_traced_once():
    """A new trace for each shape would cost seconds each."""
    traces = []

    class Network(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.dense = keras.layers.Embedding(11, 4), keras.layers.Dense(11)

        def build(self, input_shape):
            self.embedding.build(input_shape[1])
            self.dense.build((None, None, 4))
            self.built = True

        def call(self, inputs):
            traces.append(keras.tree.map_structure(lambda x: tuple(x.shape), inputs))
            features, ids = inputs
            return self.dense(self.embedding(ids) + keras.ops.mean(features, axis=1)[:, None, :])

    model = Network()
    model.build(((None, None, 4), (None, None)))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for epoch in range(3):
        with pytest.warns(UserWarning, match="ran out of data"):  # which `fit_resumably` knows to be no fault
            model.fit(feed(batches_of_many_shapes), initial_epoch=epoch, epochs=epoch + 1, verbose=0, shuffle=False)
    assert traces == [((None, None, None), (None, None))]


def test_what_is_read_is_what_was_written_one_earlier():
    targets = np.array([[[5, 6, 2], [7, 2, 0]], [[2, 0, 0], [8, 8, 8]]], np.int32)
    read = shift(targets, 1)
    np.testing.assert_array_equal(read, [[[1, 5, 6], [1, 7, 2]], [[1, 2, 0], [1, 8, 8]]])
    assert read.dtype == np.int32
    assert targets[0, 0, 0] == 5
    np.testing.assert_array_equal(shift(targets, [3, 4])[:, :, 0], [[3, 3], [4, 4]])
