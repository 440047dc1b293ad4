import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from ostinato.training import CHECKPOINT, feed_epochs, fit_resumably, make_optimizer, read_progress


def small_model(units=5, *, epochs=5, averaging=0.6, eager=False):
    """A network with dropout and its average, built alike whenever it is called.

    It learns eagerly where it is the book-keeping that is tested: to trace an update takes longer than many updates.
    """
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(units, activation="tanh", use_bias=False),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(1),
        ]
    )
    model.compile(
        make_optimizer(learning_rate=0.05, num_updates=4 * epochs, warmup_updates=3, averaging=averaging),
        "mse",
        run_eagerly=eager,
    )
    model.optimizer.build(model.trainable_variables)  # made within the first update, they would have it traced twice
    return model


def small_batches(epoch):
    """Four batches of an epoch, decided by its number alone; the last is smaller."""
    generator = np.random.default_rng((7, epoch))
    for size in (6, 6, 6, 5):
        inputs = generator.normal(size=(size, 3)).astype(np.float32)
        yield inputs, inputs.sum(axis=1, keepdims=True)


def small_run(folder, *, scores=None, eager=False, **options):
    """Trains in a folder, with a model built anew, and returns model and progress."""
    model = small_model(eager=eager)

    def validate():
        if scores is not None:
            return {"score": scores[read_progress(folder / CHECKPOINT).epoch]}
        inputs, targets = next(small_batches(100))
        return {"score": -float(np.mean((np.asarray(model(inputs)) - targets) ** 2)), "other": 1.0}

    return model, fit_resumably(
        model, feed_epochs(small_batches), validate, folder, **{"epochs": 5, "score": "score", **options}
    )


def same_run(run, other, ignored=frozenset()):
    (model, progress), (other_model, other_progress) = run, other
    ignored = {"seconds", *ignored}
    histories = [
        [{name: value for name, value in record.items() if name not in ignored} for record in progress.history]
        for progress in (progress, other_progress)
    ]
    assert [record["epoch"] for record in histories[0]] == list(range(1, progress.epoch + 1))
    assert histories[0] == histories[1]
    assert (progress.epoch, progress.best_epoch) == (other_progress.epoch, other_progress.best_epoch)
    for one, another in zip(model.variables, other_model.variables, strict=True):
        assert_allclose(np.asarray(one), np.asarray(another), atol=1e-6)


@pytest.fixture(scope="session")
def make_model():
    return small_model


@pytest.fixture(scope="session")
def make_batches():
    return small_batches


@pytest.fixture(scope="session")
def run_in():
    return small_run


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """What five epochs end with that nothing interrupts."""
    return small_run(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def assert_same_run():
    return same_run
