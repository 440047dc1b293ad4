"""What every layer must do. A new layer adds a case to the list.

The tests of this folder run again on JAX, see `test_backends.py`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.layers import (
    AdditiveAttention,
    AttentionDecoder,
    DecoderEnsemble,
    EncoderDecoder,
    ImageEncoder,
    MultiplicativeAttention,
    ParallelDecoders,
    SequenceClassifier,
    TextEncoder,
    efficientnet_lite,
)

random = np.random.default_rng(0)


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer, what it is called with, and what it must answer."""

    name: str
    make: Callable[[], keras.layers.Layer]
    inputs: tuple[np.ndarray, ...]
    call: Callable[..., Any]
    """from the layer and the inputs to its output, without dropout unless training=True"""
    output_shape: tuple[int, ...]
    num_weights: int


def attend(layer, query, values, training=False):
    return layer(query, layer.remember(values))[0]


def decode(layer, features, target_ids, training=False):
    return layer(target_ids, layer.remember(features, training=training), training=training)


def apply(layer, *inputs, training=False):
    return layer(inputs if len(inputs) > 1 else inputs[0], training=training)


def see(layer, images, training=False):
    return layer(images)


def classify(layer, features, training=False):
    scores = layer(features, training=training)
    return ops.concatenate([scores.frame_logits, scores.clip_logits], axis=-1)


def floats(*shape):
    return random.normal(size=shape).astype("float32")


def token_ids(*shape):
    return random.integers(1, 11, shape, dtype="int32")


def padded(ids):
    """Sentences of different lengths."""
    return np.where(np.arange(ids.shape[1]) < ids.shape[1] - 2 * np.arange(len(ids))[:, None], ids, 0)


def decoder(attention="multiplicative", temperature=1.0):
    return AttentionDecoder(
        vocabulary_size=11,
        embedding_size=3,
        units=7,
        attention=attention,
        attention_units=5,
        dropout=0.1,
        temperature=temperature,
    )


ON_JAX = keras.backend.backend() == "jax"
IMAGES = np.random.default_rng(1).uniform(0, 255, (3, 33, 65, 3)).astype("float32")


class FewBlocks(efficientnet_lite.EfficientNetLite):
    """Each kind of block, and no more of them than to see an image at the same scale."""

    @property
    def stages(self) -> tuple[tuple[int, int, int, int, int], ...]:
        return (3, 2, 1, 8, 1), (5, 2, 6, 8, 2), (3, 2, 6, 8, 1), (5, 2, 6, 8, 1)


efficientnet_lite.EFFICIENTNET_LITE["few_blocks"] = FewBlocks(1.0, 1.0, 224, "")

CASES = [
    Case("AdditiveAttention", lambda: AdditiveAttention(5), (floats(3, 2, 7), floats(3, 9, 4)), attend, (3, 2, 4), 4),
    Case(
        "MultiplicativeAttention",
        lambda: MultiplicativeAttention(5),
        (floats(3, 2, 7), floats(3, 9, 4)),
        attend,
        (3, 2, 4),
        3,
    ),
    Case("AttentionDecoder", decoder, (floats(3, 9, 4), token_ids(3, 2, 5)), decode, (3, 2, 5, 11), 17),
    Case(
        "AttentionDecoder, additive",
        lambda: decoder("additive", temperature=0.7),
        (floats(3, 9, 4), token_ids(3, 2, 5)),
        decode,
        (3, 2, 5, 11),
        18,
    ),
    Case(
        "ParallelDecoders",
        lambda: ParallelDecoders([decoder(), decoder()]),
        (floats(3, 9, 4), token_ids(3, 2, 5)),
        decode,
        (3, 2, 5, 11),
        34,
    ),
    Case(
        "DecoderEnsemble",
        lambda: DecoderEnsemble([decoder(), decoder()]),
        (floats(3, 9, 4), token_ids(3, 2, 5)),
        decode,
        (3, 2, 5, 11),
        34,
    ),
    Case(
        "EncoderDecoder",
        lambda: EncoderDecoder(keras.layers.Dense(4, name="encoder"), decoder()),
        (floats(3, 9, 6), token_ids(3, 2, 5)),
        apply,
        (3, 2, 5, 11),
        19,
    ),
    Case(
        "EncoderDecoder of features",
        lambda: EncoderDecoder(None, decoder()),
        (floats(3, 9, 4), token_ids(3, 2, 5)),
        apply,
        (3, 2, 5, 11),
        17,
    ),
    Case(
        "TextEncoder",
        lambda: TextEncoder(11, embedding_size=5, units=3, dropout=0.1),
        (padded(token_ids(3, 7)),),
        apply,
        (3, 7, 6),
        13,
    ),
    Case(
        "EncoderDecoder of text",
        lambda: EncoderDecoder(
            TextEncoder(11, embedding_size=3, units=2, dropout=0.1), decoder(), share_embedding=True
        ),
        (padded(token_ids(3, 9)), token_ids(3, 2, 5)),
        apply,
        (3, 2, 5, 11),
        29,
    ),
    Case(
        "SequenceClassifier",
        lambda: SequenceClassifier(2, units=5, projection_size=7, dropout=0.1, input_dropout=0.1),
        (
            np.round(4 * floats(3, 7, 4)) / 4,
        ),  # bfloat16 has them exactly: the changes from frame to frame stay the same
        classify,
        (3, 7, 4),
        16,
    ),
    Case("ImageEncoder", lambda: ImageEncoder("few_blocks"), (IMAGES,), see, (3, 6, 1280), 80),
]
# To train, save and load an image network with all its blocks takes long, and on JAX to compile it alone.
WHOLE_NETWORK = Case("ImageEncoder with all its blocks", ImageEncoder, (IMAGES,), see, (3, 6, 1280), 245)

every_layer = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def case_named(name: str) -> Case:
    return next(case for case in (*CASES, WHOLE_NETWORK) if case.name == name)


@keras.saving.register_keras_serializable(package="tests")
class Whole(keras.Model):
    """A layer with the way it is called, so that Keras can train and save it."""

    def __init__(self, layer, case_name, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer
        self.case_name = case_name

    def call(self, inputs, training=False):
        case = case_named(self.case_name)
        return case.call(self.layer, *inputs, training=training)

    def get_config(self):
        return {"layer": keras.saving.serialize_keras_object(self.layer), "case_name": self.case_name}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["layer"]), config["case_name"])


def built(case, layer=None) -> Whole:
    keras.utils.set_random_seed(1)
    model = Whole(layer or case.make(), case.name, name="whole")
    model(list(case.inputs))
    return model


@functools.cache
def model_named(name) -> Whole:
    """A model that tests share, for those that leave its weights alone."""
    return built(case_named(name))


def answer(model, inputs):
    return ops.convert_to_numpy(ops.cast(model(list(inputs)), "float32"))


def compile_for(model, optimizer):
    model.compile(optimizer, loss="mse")
    optimizer.build(model.trainable_variables)  # made within the first update, they would have it traced twice


@pytest.fixture
def bfloat16():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("case", CASES if ON_JAX else [*CASES, WHOLE_NETWORK], ids=lambda case: case.name)
def test_answers_have_the_shape_that_is_promised(case):
    model = model_named(case.name)
    output = model(list(case.inputs))
    assert tuple(output.shape) == case.output_shape
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    assert len(model.weights) == case.num_weights
    symbolic = [keras.KerasTensor((None, *x.shape[1:]), dtype=str(x.dtype)) for x in case.inputs]
    spec = model(symbolic)
    assert spec.shape == (None, *case.output_shape[1:])
    assert spec.dtype == "float32"


@every_layer
def test_a_layer_made_from_its_configuration_is_the_same(case):
    layer = case.make()
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    model, other = built(case, layer), built(case, twin)
    assert [(weight.path, weight.shape) for weight in other.weights] == [(w.path, w.shape) for w in model.weights]
    other.set_weights(model.get_weights())
    assert_array_equal(answer(other, case.inputs), answer(model, case.inputs))


@every_layer
def test_what_is_saved_is_what_is_loaded(case, tmp_path):
    model = model_named(case.name)
    expected = answer(model, case.inputs)
    model.save(tmp_path / "layer.keras")
    assert_array_equal(answer(keras.saving.load_model(tmp_path / "layer.keras"), case.inputs), expected)

    model.save_weights(tmp_path / "layer.weights.h5")
    other = built(case)
    other.load_weights(tmp_path / "layer.weights.h5")
    assert_array_equal(answer(other, case.inputs), expected)


@every_layer
def test_one_training_step_moves_every_weight_and_lessens_the_loss(case):
    model = built(case)
    before = {weight.path: weight.numpy() for weight in model.trainable_weights}
    inputs, target = list(case.inputs), answer(model, case.inputs) + floats(*case.output_shape)
    # Lion moves by the sign of the gradient, so that a weight shows its gradient however small that is.
    compile_for(model, keras.optimizers.Lion(1e-4))
    loss = float(np.mean((answer(model, inputs) - target) ** 2))
    model.train_on_batch(inputs, target)
    assert np.mean((answer(model, inputs) - target) ** 2) < loss
    for weight in model.trainable_weights:
        after = weight.numpy()
        assert np.all(np.isfinite(after)), weight.path
        # A shift of all energies leaves the weights of a softmax as they are: keys need no bias, yet have one.
        assert np.any(after != before[weight.path]) or weight.path.endswith("key_projection/bias"), weight.path


@every_layer
def test_each_item_alone_is_answered_as_in_a_batch(case):
    model = model_named(case.name)
    together = answer(model, case.inputs)
    for item in range(len(together)):
        alone = answer(model, [x[item : item + 1] for x in case.inputs])
        assert_allclose(alone[0], together[item], rtol=1e-4, atol=1e-5)


@every_layer
@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_answers_nearly_the_same_from_float32_weights(case):
    mixed = built(case)
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    exact = model_named(case.name)
    assert exact.layer.compute_dtype == "float32"
    mixed.set_weights(exact.get_weights())
    expected = answer(exact, case.inputs)
    difference = np.abs(answer(mixed, case.inputs) - expected).max()
    assert 0 < difference < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize("case", [case for case in CASES if case.name != "ImageEncoder"], ids=lambda case: case.name)
@pytest.mark.usefixtures("bfloat16")
def test_a_bfloat16_layer_stays_one_where_the_default_is_float32(case):
    layer = case.make()
    mixed = built(case, layer)
    keras.config.set_dtype_policy("float32")
    reloaded = built(case, type(layer).from_config(layer.get_config()))
    reloaded.set_weights(mixed.get_weights())
    assert_array_equal(answer(reloaded, case.inputs), answer(mixed, case.inputs))


@pytest.mark.parametrize("case", [case for case in CASES if "Decoder" in case.name], ids=lambda case: case.name)
@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_trains_and_gives_float32_logits(case):
    model = built(case)
    symbolic = [keras.KerasTensor((None, *x.shape[1:]), dtype=str(x.dtype)) for x in case.inputs]
    assert model(symbolic).dtype == "float32"
    compile_for(model, keras.optimizers.SGD(0.1))
    losses = [model.train_on_batch(list(case.inputs), np.ones(case.output_shape)) for _ in range(5)]
    assert losses[-1] < losses[0]
    assert all(np.all(np.isfinite(weight.numpy())) for weight in model.weights)
