import dataclasses

import numpy as np
import pytest

from ostinato.sequences.cross_validation import CROSS_VALIDATION, read_temperature
from ostinato_gesture.background import between_features
from ostinato_gesture.config import PrepareConfig, TrainConfig
from ostinato_gesture.data import FeatureSequence
from ostinato_gesture.prepare import prepare
from ostinato_gesture.run import Run
from ostinato_gesture.train import Training, make_joining

# Without recurrence, since these features need none: LSTMs take most of the time to trace.
SHORT = TrainConfig(
    units=8, projection_size=0, recurrent=False, dropout=0.0, input_dropout=0.0, learning_rate=0.05, epochs=4,
    least_windows=64, window=16, averaging=0.5, folds=2,
)  # fmt: skip


def prepared_run(folder, num_clips=12, one_in=0, background=True):
    generator = np.random.default_rng(5)
    data = [
        FeatureSequence(
            f"clip {number}",
            f"day {number // 2}",
            3 * np.eye(3)[number % 3] + generator.normal(0, 0.3, (7 + number % 3, 3)),
            label=("fist", "nod", "wave")[number % 3],
        )
        for number in range(num_clips)
    ]
    prepare(Run(folder), data, PrepareConfig(one_in=one_in, background=background))
    return Run(folder)


def test_a_few_clips_are_learnt_and_what_is_confused_is_told(tmp_path):
    run = prepared_run(tmp_path)
    training = Training(run, SHORT)
    records = training()
    assert len(records) == 4
    assert run.model_path.exists()
    folds = []
    advice = training.check(lambda: folds.append(1))
    assert len(folds) == 2
    assert (advice.num_examples, advice.unit, advice.none) == (12, "clips", "none")
    assert advice.num_right >= 9
    assert set(advice.record_more) == {"fist", "nod", "wave"}  # four clips of each are few
    assert read_temperature(run.folder / CROSS_VALIDATION) > 0


def test_what_is_kept_for_validation_tells_without_folds(tmp_path):
    run = prepared_run(tmp_path, one_in=3)
    training = Training(run, SHORT)
    training()
    advice = training.check(lambda: pytest.fail("nothing is held out in turn"))
    assert advice.num_examples == len(training.dev_rows) > 0
    assert not (run.folder / CROSS_VALIDATION).exists()


def test_who_does_not_ask_is_not_told(tmp_path):
    assert Training(prepared_run(tmp_path), dataclasses.replace(SHORT, folds=0)).check() is None


def test_streams_are_made_where_there_is_a_label_for_what_lies_between(tmp_path):
    with_none = prepared_run(tmp_path / "with")
    joining = make_joining(with_none, SHORT)
    assert (joining.share, joining.background, joining.between) == (SHORT.joined, 0, between_features)
    assert make_joining(with_none, dataclasses.replace(SHORT, joined=0.0)) is None
    assert make_joining(prepared_run(tmp_path / "without", background=False), SHORT) is None


def test_vectors_whose_points_are_known_are_standardised_before_their_directions_are_taken(tmp_path):
    run = prepared_run(tmp_path)
    training = Training(run, dataclasses.replace(SHORT, points="0:2"))
    mean, deviation = run.store.mean_and_deviation(training.train_rows)
    standardisation = training.classifier.encoder.standardisation
    np.testing.assert_allclose(np.asarray(standardisation.mean), mean, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(standardisation.deviation), deviation, rtol=1e-6)
