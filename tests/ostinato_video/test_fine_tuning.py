import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from ostinato.errors import ConfigError
from ostinato.sequences.training import StreamTraining, make_classifier
from ostinato_video.config import PrepareConfig, TrainConfig
from ostinato_video.data import read_examples
from ostinato_video.features import squared
from ostinato_video.fine_tuning import FineTuning
from ostinato_video.prepare import prepare
from ostinato_video.reading import open_video
from ostinato_video.run import Run

CONFIG = TrainConfig(
    units=6,
    projection_size=5,
    dropout=0.0,
    input_dropout=0.0,
    fine_tune_blocks=1,
    fine_tune_epochs=2,
    fine_tune_batch_size=3,
    fine_tune_window=7,
    fine_tune_learning_rate=0.01,
    averaging=0.5,
)


@pytest.fixture(autouse=True)
def use_quick_network(quick_network):
    """None of these tests needs the real one."""


@pytest.fixture
def tuning(completed_run):
    classifier = make_classifier(CONFIG, 3, completed_run.store.feature_size)
    classifier.standardisation.adapt(*completed_run.store.mean_and_deviation(range(4)))
    return FineTuning(completed_run, classifier, range(4), CONFIG)


def test_what_was_seen_goes_on_from_batch_to_batch_and_is_forgotten_where_a_video_begins(tuning, completed_run):
    wholes = []
    for record in completed_run.store.records:
        with open_video(record.name, 12.5) as reader:
            scores = tuning.classifier(squared([frame.image for frame in reader], 32)[None])
        logits = np.concatenate([scores.frame_logits[0], scores.clip_logits[0]], axis=-1)  # -> [F, 2 * L]
        wholes.append(ops.convert_to_numpy(logits))
    streams, pieces = [], [[], [], []]
    for inputs, _, _ in tuning.batches(0):
        logits = ops.convert_to_numpy(tuning.model(inputs))  # -> [3, 7 + 1, L]
        _, mask, starts = inputs
        for place in range(3):
            if starts[place] and pieces[place]:
                streams.append(pieces[place])
                pieces[place] = []
            if mask[place].any():
                pieces[place].append((logits[place, :-1][mask[place]], logits[place, -1]))
    streams += [stream for stream in pieces if stream]
    assert len(streams) == len(wholes) == 4
    for stream in streams:
        frames = np.concatenate([frame_logits for frame_logits, _ in stream])
        (whole,) = (whole for whole in wholes if np.allclose(whole[:, :3], frames, atol=1e-4))
        ends = np.cumsum([len(frame_logits) for frame_logits, _ in stream]) - 1
        np.testing.assert_allclose(np.stack([clip_logits for _, clip_logits in stream]), whole[ends, 3:], atol=1e-4)


def test_videos_are_read_as_from_their_cached_features_before_anything_has_learned(tuning, completed_run):
    classifier = make_classifier(CONFIG, 3, completed_run.store.feature_size)
    own = [layer for layer in tuning.classifier.layers if layer is not tuning.classifier.encoder]
    for layer, other in zip(classifier.layers, own, strict=True):
        layer.set_weights(other.get_weights())
    expected = classifier(completed_run.store.features_of(1)[None].astype(np.float32))
    (output,) = tuning.read([1])
    np.testing.assert_allclose(output.frame_logits, expected.frame_logits[0], atol=0.02)  # features are kept as float16
    np.testing.assert_allclose(output.clip_logits, expected.clip_logits[0, -1], atol=0.02)


def test_the_blocks_asked_for_learn_together_with_the_classifier(tuning):
    before = [np.array(weight) for weight in tuning.classifier.weights]
    tuning.fit()
    changed = {
        weight.path for weight, old in zip(tuning.classifier.weights, before, strict=True) if np.any(weight != old)
    }
    projection = tuning.classifier.encoder.image_encoder.projection
    assert {weight.path for weight in projection.weights} <= changed
    assert tuning.classifier.frame_head.kernel.path in changed
    assert tuning.classifier.standardisation.mean.path not in changed
    assert int(np.asarray(tuning.model.optimizer.iterations)) == tuning.num_updates == 16


class ColourBlindEncoder(keras.layers.Layer):
    """An image network to which the red and the blue of the squares are one colour, until its one block has learned."""

    def __init__(self, network="efficientnet_lite0", weights=None, head=True, folded=False, **kwargs):
        super().__init__(**kwargs)
        self.network_name = network
        self.projection = keras.layers.Dense(4, kernel_initializer=keras.initializers.Constant(_COLOUR_BLIND))
        self.projection.build((None, None, 3))
        self.built = True

    def call(self, images):
        size = images.shape[1] // 2
        quarters = ops.reshape(ops.cast(images, "float32") / 127.5 - 1, (-1, 2, size, 2, size, 3))
        return self.projection(ops.reshape(ops.mean(quarters, axis=(2, 4)), (-1, 4, 3)))

    def compute_output_shape(self, input_shape):
        return input_shape[0], 4, 4

    def set_trainable_blocks(self, num_blocks):
        self.projection.trainable = num_blocks is None or num_blocks > 0


# What (210, 30, 30) and (30, 40, 220) have in common, and grey has not.
_COLOUR_BLIND = np.outer([1.0, 1.0, 0.895], [1.0, -0.5, 0.7, 0.3])


def test_a_block_learns_what_the_frozen_network_does_not_see(squares, tmp_path, monkeypatch):
    monkeypatch.setattr("ostinato.layers.frame_encoder.ImageEncoder", ColourBlindEncoder)
    run = Run(tmp_path / "run")
    settings = PrepareConfig(frame_rate=12.5, image_size=32, parts=("appearance",), mirrored=False, group_by="day")
    prepare(run, read_examples(squares, group_by="day"), settings)
    config = dataclasses.replace(
        CONFIG,
        recurrent=False,  # or the order would tell which colour it is
        learning_rate=0.02,
        epochs=12,
        fine_tune_learning_rate=0.1,
        fine_tune_epochs=10,
    )
    train, held_out = [1, 2, 3], [0]  # red is seen in 6 frames, blue in 5
    classifier = make_classifier(config, 3, run.store.feature_size)
    frozen = StreamTraining(classifier, run.store, train, config)
    frozen.run()
    before = frozen.read(held_out)
    tuning = FineTuning(run, classifier, train, config)
    tuning.fit()
    truth = run.store.labels_of(0)
    coloured = truth != 0
    right = [
        float(np.mean(output.frame_logits.argmax(axis=-1)[coloured] == truth[coloured]))
        for (output,) in (before, tuning.read(held_out))
    ]
    assert right[0] < 0.7
    assert right[1] > 0.9


def test_a_network_without_numbered_blocks_is_refused(completed_run, monkeypatch):
    monkeypatch.setitem(completed_run.prepared["config"], "network", "MobileNetV2")
    with pytest.raises(ConfigError, match="not MobileNetV2; set --fine-tune-blocks 0"):
        FineTuning(completed_run, None, range(4), CONFIG)
