import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.layers import SequenceClassifier, StreamScores

numbers = np.random.default_rng(4)
FEATURES = numbers.normal(size=(3, 7, 5)).astype("float32")
VARIANTS: dict[str, dict] = {
    "all": {},
    "one layer, bare": {"num_layers": 1, "projection_size": 0, "differences": False},
    "per frame": {"recurrent": False},
}
each_variant = pytest.mark.parametrize("variant", VARIANTS)


def make_classifier(variant="all", features=FEATURES, **options):
    keras.utils.set_random_seed(8)
    sizes = {"units": 9, "num_layers": 2, "projection_size": 6, "dropout": 0.1}
    model = SequenceClassifier(2, **{**sizes, **VARIANTS[variant], **options})
    model(features)
    for weight in own_weights(model):  # far enough from zero that everything counts
        weight.assign(numbers.normal(0, 0.6, weight.shape))
    return model


def own_weights(model):
    """Those of the classifier without its encoder's, and without the statistics of features."""
    others = [] if model.encoder is None else model.encoder.weights
    others = [*others, *(model.standardisation.weights if model.standardise else [])]
    return [weight for weight in model.weights if all(weight is not other for other in others)]


def arrays(scores):
    return StreamScores(*(ops.convert_to_numpy(part) for part in scores))


def stepped(model, features):
    """Returns `StreamScores` of arrays [B, F, ...] and the last state."""
    state, scores = model.initial_state(len(features)), []
    for number in range(features.shape[1]):
        score, state = model.step(features[:, number], state)
        scores.append(arrays(score))
    return StreamScores(*(np.stack(parts, axis=1) for parts in zip(*scores, strict=True))), state


def assert_same(actual, expected, atol=1e-5):
    for first, second in zip(actual, expected, strict=True):
        assert_allclose(first, second, rtol=1e-5, atol=atol)


@each_variant
def test_stepping_through_a_stream_gives_what_the_whole_stream_gives(variant):
    model = make_classifier(variant)
    whole = arrays(model(FEATURES))
    assert [part.shape for part in whole] == [(3, 7, 2), (3, 7, 2), (3, 7)]
    assert_same(stepped(model, FEATURES)[0], whole)


@each_variant
def test_a_stream_read_in_parts_gives_what_the_whole_stream_gives(variant):
    model = make_classifier(variant)
    first, state = model.steps(FEATURES[:, :4], model.initial_state(3))
    second, state = model.steps(FEATURES[:, 4:], state)
    parts = zip(arrays(first), arrays(second), strict=True)
    assert_same([np.concatenate(pair, axis=1) for pair in parts], arrays(model(FEATURES)))
    assert_same(state.values(), stepped(model, FEATURES)[1].values())


@each_variant
def test_the_state_is_what_its_specification_says_and_keeps_its_size(variant):
    model = make_classifier(variant)
    spec = model.state_spec()
    for state in (model.initial_state(3), stepped(model, FEATURES)[1]):
        assert list(spec) == sorted(state, key=list(spec).index)
        assert {name: (tuple(value.shape[1:]), value.shape[0]) for name, value in state.items()} == {
            name: (shape, 3) for name, (shape, _) in spec.items()
        }
        assert {keras.backend.standardize_dtype(value.dtype) for value in state.values()} == {"float32"}
    assert not any(np.any(ops.convert_to_numpy(value)) for value in model.initial_state(3).values())


def test_later_frames_change_nothing_of_what_was_said():
    model = make_classifier()
    changed = FEATURES.copy()
    changed[:, 4:] += 1
    before, after = arrays(model(FEATURES)), arrays(model(changed))
    assert_same([part[:, :4] for part in after], [part[:, :4] for part in before])
    assert np.all(np.abs(after.frame_logits - before.frame_logits)[:, 4:] > 1e-6)


def test_padding_changes_nothing_and_holds_the_last_label_of_the_clip():
    model = make_classifier()
    alone = arrays(model(FEATURES[:, :5]))
    padded = np.where(np.arange(7)[:, None] < 5, FEATURES, 99.0).astype("float32")
    mask = np.broadcast_to(np.arange(7) < 5, (3, 7))
    scores = arrays(model(padded, mask))
    assert_same([part[:, :5] for part in scores], alone)
    assert_array_equal(scores.clip_logits[:, 5:], np.repeat(scores.clip_logits[:, 4:5], 2, axis=1))
    assert_array_equal(scores.frame_weights[:, 5:], 0)
    nothing = arrays(model(padded, np.zeros((3, 7), bool)))
    assert np.all(np.isfinite(nothing.clip_logits))


def test_the_clip_is_the_weighted_mean_of_what_the_frames_say():
    model = make_classifier("one layer, bare")
    scores = arrays(model(FEATURES))
    hidden = ops.convert_to_numpy(model.stack[0](FEATURES)[0])
    weights = scores.frame_weights / scores.frame_weights.sum(axis=1, keepdims=True)
    mean = (weights[:, :, None] * hidden).sum(axis=1)
    assert_allclose(scores.clip_logits[:, -1], ops.convert_to_numpy(model.clip_head(mean)), atol=1e-5)
    assert np.ptp(weights) > 0.01
    assert np.exp(-5) <= scores.frame_weights.min() <= scores.frame_weights.max() <= np.exp(5)


def test_a_long_stream_neither_overflows_nor_forgets_how_to_average():
    model = make_classifier("per frame")
    state = model.initial_state(1)
    for _ in range(3):
        scores, state = model.steps(np.ones((1, 20_000, 5), np.float32), state)
    first, _ = model.step(np.ones((1, 5), np.float32), model.initial_state(1))
    # 60,000 equal frames: their average is what each of them says.
    assert_allclose(arrays(scores).clip_logits[:, -1], arrays(first).clip_logits, rtol=1e-3)
    assert float(ops.convert_to_numpy(state["weight_sum"])[0, 0]) > 1


def test_only_the_change_and_no_earlier_frame_matters_without_recurrence():
    changed = FEATURES.copy()
    changed[:, 2] += 1
    for differences, reach in ((True, 2), (False, 1)):
        model = make_classifier("per frame", differences=differences)
        moved = np.abs(arrays(model(changed)).frame_logits - arrays(model(FEATURES)).frame_logits).max(axis=(0, 2))
        assert np.flatnonzero(moved > 1e-6).tolist() == list(range(2, 2 + reach))


class Colours(keras.layers.Layer):
    """An encoder with a state: the colour of each frame, and how much it has changed since the frame before."""

    def state_spec(self):
        return {"previous_colour": ((3,), "float32")}

    def compute_output_shape(self, frames_shape):
        return (*frames_shape[:2], 6)

    def steps(self, frames, state):
        colours = ops.mean(ops.cast(frames, "float32"), axis=(2, 3)) / 255  # -> [B, F, 3]
        before = ops.concatenate([state["previous_colour"][:, None], colours[:, :-1]], axis=1)
        return ops.concatenate([colours, colours - before], axis=-1), {"previous_colour": colours[:, -1]}


def test_an_encoder_reads_the_frames_and_its_state_goes_with_the_others():
    frames = numbers.integers(0, 256, (2, 3, 5, 7, 3)).astype("uint8")
    encoder = Colours()
    model = make_classifier(features=frames, encoder=encoder)
    assert model.feature_size == 6
    assert list(model.state_spec())[:1] == ["previous_colour"]
    features = ops.convert_to_numpy(encoder.steps(frames, {"previous_colour": ops.zeros((2, 3))})[0])
    without = make_classifier(features=features)
    for weight, source in zip(without.weights, own_weights(model), strict=True):
        weight.assign(source)
    expected = arrays(without(features))
    assert_same(arrays(model(frames)), expected, atol=1e-4)
    assert_same(stepped(model, frames)[0], expected, atol=1e-4)


def test_features_are_standardised_by_what_the_training_data_were():
    model = make_classifier(standardise=True)
    plain = make_classifier()
    mean, deviation = FEATURES.mean(axis=(0, 1)), FEATURES.std(axis=(0, 1))
    model.standardisation.adapt(mean, deviation)
    for weight, source in zip(
        plain.weights, [w for w in model.weights if "standardisation" not in w.path], strict=True
    ):
        weight.assign(source)
    assert_same(arrays(model(FEATURES)), arrays(plain((FEATURES - mean) / deviation)), atol=1e-4)


def streams_of_marks(batch, frames):
    """Streams in which two marks appear now and then; the label of a frame is the mark that was seen last."""
    generator = np.random.default_rng(6)
    marks = generator.integers(0, 2, (batch, frames))
    seen = generator.random((batch, frames)) < 0.2
    seen[:, 0] = True
    features = np.stack([seen & (marks == 0), seen & (marks == 1)], axis=-1).astype("float32")
    last = np.maximum.accumulate(np.where(seen, np.arange(frames), 0), axis=1)
    return features, np.take_along_axis(marks, last, axis=1)


def test_the_mark_seen_last_is_learned_with_recurrence_and_cannot_be_without():
    features, labels = streams_of_marks(32, 13)
    accuracy = {}
    for recurrent in (True, False):
        keras.utils.set_random_seed(3)
        model = SequenceClassifier(2, 16, num_layers=1, projection_size=8, dropout=0.0, recurrent=recurrent)
        inputs = keras.Input((13, 2))
        scores = model(inputs)
        trained = keras.Model(inputs, [scores.frame_logits, scores.clip_logits])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        trained.compile(keras.optimizers.Adam(0.03), loss=[loss, loss], loss_weights=[1.0, 0.1], jit_compile=False)
        for _ in range(30):
            trained.train_on_batch(features, [labels, labels])
        guessed = arrays(model(features)).frame_logits.argmax(axis=-1)
        accuracy[recurrent] = np.mean(guessed == labels)
    assert accuracy[True] > 0.97
    assert accuracy[False] < 0.87  # it guesses wherever no mark is to be seen


def test_windows_of_streams_that_end_give_what_the_whole_streams_give():
    model = make_classifier()
    lengths = np.array([7, 5, 4])
    mask = np.arange(8) < lengths[:, None]
    features = np.pad(FEATURES, ((0, 0), (0, 1), (0, 0)), constant_values=9.0)
    whole = arrays(model(features, mask))
    state, pieces = model.initial_state(3), []
    for window in (slice(0, 4), slice(4, 8)):
        scores, state = model.masked_steps(features[:, window], state, mask[:, window])
        pieces.append(arrays(scores))
    frames = np.concatenate([piece.frame_logits for piece in pieces], axis=1)
    assert_allclose(frames[mask], whole.frame_logits[mask], atol=1e-5)
    assert_allclose(pieces[1].clip_logits[:2, -1], whole.clip_logits[:2, -1], atol=1e-5)
    assert_allclose(pieces[0].clip_logits[2, -1], whole.clip_logits[2, -1], atol=1e-5)
    dropped, _ = model.masked_steps(features[:, :4], model.initial_state(3), mask[:, :4], training=True)
    assert not np.allclose(arrays(dropped).frame_logits, frames[:, :4])
