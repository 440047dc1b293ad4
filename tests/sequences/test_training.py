import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from ostinato.sequences import StreamConfig
from ostinato.sequences.outputs import truths_of
from ostinato.sequences.scoring import score_streams
from ostinato.sequences.training import StreamTraining, make_classifier, train_and_read
from ostinato.training import CHECKPOINT, fit_resumably, read_progress

SMALL = StreamConfig(
    units=6, projection_size=5, dropout=0.1, input_dropout=0.0, window=9, batch_size=8, learning_rate=0.02,
    averaging=0.5, epochs=3, seed=3,
)  # fmt: skip


class Interrupt(keras.callbacks.Callback):
    """Stops everything in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations >= 6:
            raise KeyboardInterrupt


def train_in(folder, store, callbacks=()):
    training = StreamTraining(make_classifier(SMALL, 2, 3), store, store.rows("train"), SMALL)
    dev = store.rows("dev")

    def validate():
        scores = score_streams(training.read(dev), truths_of(store, dev))
        return {"clip_accuracy": scores["clip_accuracy"]}

    return training, fit_resumably(
        training.model,
        training.feed,
        validate,
        folder,
        epochs=training.num_epochs,
        score="clip_accuracy",
        callbacks=callbacks,
    )


@pytest.fixture(scope="module")
def whole_run(clips, tmp_path_factory):
    return train_in(tmp_path_factory.mktemp("whole"), clips)


def test_an_interrupted_run_ends_like_one_that_was_not(clips, whole_run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train_in(tmp_path, clips, [Interrupt()])
    assert read_progress(tmp_path / CHECKPOINT).epoch == 1
    (training, progress), (whole, whole_progress) = train_in(tmp_path, clips), whole_run
    assert [(each["loss"], each["clip_accuracy"], each["updates"]) for each in progress.history] == [
        (each["loss"], each["clip_accuracy"], each["updates"]) for each in whole_progress.history
    ]
    for one, another in zip(training.model.variables, whole.model.variables, strict=True):
        assert_allclose(np.asarray(one), np.asarray(another), atol=1e-6)


def test_each_batch_is_one_update(whole_run):
    training, progress = whole_run
    assert [each["updates"] for each in progress.history] == [4, 8, 12]
    assert training.num_updates == 12


def test_features_are_standardised_by_what_is_trained_on(clips, whole_run):
    training, _ = whole_run
    mean, _ = clips.mean_and_deviation(clips.rows("train"))
    assert_allclose(np.asarray(training.classifier.standardisation.mean), mean, rtol=1e-6)


def test_frames_of_recordings_are_learnt_and_windows_vary_in_training_alone(recordings):
    seen = []

    def vary(features, labels, generator):
        seen.append(len(features))
        return features, labels

    config = StreamConfig(**{**vars(SMALL), "epochs": 20})
    outputs = train_and_read(recordings, [0, 1, 2], [3], 3, config, vary)
    scores = score_streams(outputs, truths_of(recordings, [3]))
    assert scores["frame_accuracy"] > 80
    assert scores["num_frames"] == 37
    assert set(seen) == {9}
    assert 20 * 15 <= len(seen) <= 20 * 15 + 8  # 5 windows of each; once more to see what batches look like
