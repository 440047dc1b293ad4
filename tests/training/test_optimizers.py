import math

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.training import averaged_weights, make_optimizer


def rates(optimizer, num_updates):
    schedule = optimizer._learning_rate
    return np.array([float(schedule(keras.ops.cast(update, "int32"))) for update in range(num_updates + 1)])


def values(variables):
    return [np.asarray(variable).copy() for variable in variables]


def descend(optimizer, variables, gradients):
    optimizer.apply([keras.ops.convert_to_tensor(np.asarray(g, np.float32)) for g in gradients], variables)


def test_the_learning_rate_rises_in_a_line_then_falls_as_half_a_cosine_to_nothing():
    found = rates(make_optimizer(learning_rate=0.3, num_updates=37, warmup_updates=7), 37)
    rising = [0.3 * update / 7 for update in range(7)]
    falling = [0.15 * (1 + math.cos(math.pi * update / 30)) for update in range(31)]
    assert_allclose(found, [*rising, *falling], atol=1e-6)
    assert found.argmax() == 7


def test_behind_the_last_update_the_learning_rate_stays_nothing():
    assert_allclose(rates(make_optimizer(learning_rate=0.3, num_updates=5, warmup_updates=2), 9)[5:], 0.0, atol=1e-7)


def test_without_warm_up_the_learning_rate_begins_at_its_greatest():
    found = rates(make_optimizer(learning_rate=0.3, num_updates=11), 11)
    assert found[0] == pytest.approx(0.3)
    assert (np.diff(found) < 0).all()


@pytest.mark.parametrize(("num_updates", "peak"), [(1, 0), (9, 4)])
def test_the_warm_up_takes_at_most_half_of_a_short_training(num_updates, peak):
    found = rates(make_optimizer(learning_rate=0.3, num_updates=num_updates, warmup_updates=500), num_updates)
    assert found.argmax() == peak
    assert found.max() == pytest.approx(0.3)
    assert found[-1] == pytest.approx(0.0, abs=1e-7)


class Named(keras.layers.Layer):
    """A layer of variables of given names."""

    def __init__(self, names, **kwargs):
        super().__init__(**kwargs)
        for name in names:
            self.add_weight(shape=(2, 3), initializer="ones", name=name)
        self.built = True


def test_matrices_decay_and_biases_and_normalisations_do_not():
    layers = keras.Sequential(
        [
            keras.Input((5, 4)),
            keras.layers.Dense(4, name="beta"),  # the name of a layer says nothing of its variables
            keras.layers.LayerNormalization(name="bias"),
            keras.layers.LSTM(3, name="gamma"),
            keras.layers.BatchNormalization(),
            Named(["output_bias", "scale", "debiasing", "alphabetas", "betasy", "embeddings"], name="named"),
        ]
    )
    variables = layers.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    optimizer = make_optimizer(learning_rate=0.5, num_updates=1000, weight_decay=0.25)
    descend(optimizer, variables, [np.zeros(variable.shape) for variable in variables])
    left = {
        (layer.name, variable.name): float(np.asarray(variable).mean())
        for layer in layers.layers
        for variable in layer.trainable_variables
    }
    decayed = {names for names, value in left.items() if value != 1.0}
    matrices = {("beta", "kernel"), ("gamma", "kernel"), ("gamma", "recurrent_kernel")}
    assert decayed == matrices | {
        ("named", name) for name in ("scale", "debiasing", "alphabetas", "betasy", "embeddings")
    }
    assert len(left) - len(decayed) == 7  # of Dense, LayerNormalization, LSTM, BatchNormalization, and output_bias
    assert_allclose([value for value in left.values() if value != 1.0], 1.0 - 0.5 * 0.25, rtol=1e-5)


def test_the_norm_of_all_gradients_together_is_clipped():
    """Adam does not see the scale of its gradients, only that of one against the next."""

    def path_of(clip, first):
        variables = [keras.Variable(np.zeros(3, np.float32)), keras.Variable(np.zeros(2, np.float32))]
        optimizer = make_optimizer(learning_rate=0.1, num_updates=1000, gradient_clip=clip)
        for gradients in (first, [[0.1, 0.0, 0.0], [0.0, 0.2]]):
            descend(optimizer, variables, gradients)
        return values(variables)

    huge = [np.array([30.0, 0.0, -40.0]), np.array([0.0, 120.0])]  # of norm 130
    unit = [gradient / 130.0 for gradient in huge]
    for clipped, expected in zip(path_of(1.0, huge), path_of(1.0, unit), strict=True):
        assert_allclose(clipped, expected, rtol=1e-5, atol=1e-7)
    assert np.abs(path_of(1000.0, huge)[1] - path_of(1.0, huge)[1]).max() > 1e-3


def small_model():
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5), keras.layers.Dense(2)])
    model.compile(make_optimizer(learning_rate=0.1, num_updates=50, averaging=0.7), "mse")
    return model


@pytest.fixture
def model():
    return small_model()


def train(model, num_updates, seed=0):
    """Yields the weights after each update."""
    generator = np.random.default_rng(seed)
    for _ in range(num_updates):
        model.train_on_batch(generator.normal(size=(4, 3)), generator.normal(size=(4, 2)))
        yield values(model.trainable_variables)


def test_inside_the_weights_are_the_exponential_average_of_all_that_were(model):
    history = list(train(model, 6))
    average = history[0]
    for weights in history[1:]:
        average = [0.7 * old + 0.3 * new for old, new in zip(average, weights, strict=True)]
    with averaged_weights(model):
        inside = values(model.trainable_variables)
    for found, expected, last in zip(inside, average, history[-1], strict=True):
        assert_allclose(found, expected, atol=1e-5)
        assert np.abs(found - last).max() > 1e-3


def test_outside_the_weights_are_restored_exactly(model):
    *_, last = train(model, 5)
    with averaged_weights(model):
        pass
    for found, expected in zip(model.trainable_variables, last, strict=True):
        assert_array_equal(np.asarray(found), expected)


def test_outside_the_weights_are_restored_exactly_after_a_fault(model):
    *_, last = train(model, 5)
    with pytest.raises(KeyboardInterrupt), averaged_weights(model):
        raise KeyboardInterrupt
    for found, expected in zip(model.trainable_variables, last, strict=True):
        assert_array_equal(np.asarray(found), expected)


def test_looking_at_the_average_does_not_change_the_training(model):
    *_, expected = train(model, 6)
    again = small_model()
    for _ in train(again, 6):
        with averaged_weights(again):
            pass
    for found, wanted in zip(again.trainable_variables, expected, strict=True):
        assert_allclose(np.asarray(found), wanted, atol=1e-6)


def test_before_the_first_update_the_average_is_what_the_weights_are(model):
    before = values(model.trainable_variables)
    for built in (False, True):
        if built:
            model.optimizer.build(model.trainable_variables)
        with averaged_weights(model):
            for found, expected in zip(model.trainable_variables, before, strict=True):
                assert_array_equal(np.asarray(found), expected)


def test_without_averaging_the_weights_stay_what_they_are(model):
    model.compile(make_optimizer(learning_rate=0.1, num_updates=50), "mse")
    *_, last = train(model, 3)
    with averaged_weights(model):
        for found, expected in zip(model.trainable_variables, last, strict=True):
            assert_array_equal(np.asarray(found), expected)


@pytest.mark.parametrize("compiled", [False, True])
def test_after_so_many_updates_training_goes_on_from_the_average(compiled):
    """By hand: the average begins with the weights after the first update, and takes their place every third time."""
    variable = keras.Variable(np.array([1.0, -2.0], np.float32))
    optimizer = make_optimizer(
        learning_rate=0.1, num_updates=1000, gradient_clip=1e9, averaging=0.75, lookahead_updates=3
    )
    plain = keras.Variable(np.array([1.0, -2.0], np.float32))
    reference = make_optimizer(learning_rate=0.1, num_updates=1000, gradient_clip=1e9)
    optimizer.build([variable])
    reference.build([plain])
    update = lambda: optimizer.apply([keras.ops.ones(2)], [variable])  # noqa: E731
    if compiled and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        update = tf.function(update, jit_compile=True)
    weights = average = values([variable])[0]
    for number in range(1, 8):
        before = values([plain])[0]
        descend(reference, [plain], [[1.0, 1.0]])
        weights = weights + values([plain])[0] - before  # the gradients are the same wherever the weights are
        average = weights if number == 1 else 0.75 * average + 0.25 * weights
        if number % 3 == 0:
            weights = average
        update()
        assert_allclose(np.asarray(variable), weights, rtol=1e-5)


def test_a_lookahead_needs_an_average():
    with pytest.raises(ValueError, match="give averaging"):
        make_optimizer(learning_rate=0.1, num_updates=10, lookahead_updates=3)
