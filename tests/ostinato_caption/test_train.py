import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import quick_caption_scores
from ostinato.training import Watcher
from ostinato_caption.exporting import captioner_of_run
from ostinato_caption.run import Run
from ostinato_caption.train import FINE_TUNE, FROZEN, SELF_CRITICAL, Training

PHASES = {FROZEN: 2, FINE_TUNE: 2, SELF_CRITICAL: 2}


class InterruptionError(Exception):
    """Stands in for whatever ends a process."""


def interrupting(phase, epoch):
    def on_epoch(current, progress):
        if (current, progress.epoch) == (phase, epoch):
            raise InterruptionError

    return Watcher(on_epoch=on_epoch)


def numbers(record):
    return {name: value for name, value in record.items() if name not in ("phase", "seconds")}


def written(run):
    return [json.loads(line) for line in run.metrics_path.read_text().splitlines()]


def test_the_phases_follow_each_other_and_every_epoch_is_recorded_once(trained):
    records = written(trained)
    assert [(record["phase"], record["epoch"]) for record in records] == [
        (phase, epoch) for phase, epochs in PHASES.items() for epoch in range(1, epochs + 1)
    ]
    for phase, epochs in PHASES.items():  # nine photos, four a batch
        assert [record["updates"] for record in records if record["phase"] == phase] == [
            3 * epoch for epoch in range(1, epochs + 1)
        ]
    assert all(np.isfinite(record["loss"]) for record in records)
    assert records[0]["loss"] > records[1]["loss"]
    assert trained.model_path.exists()


def test_training_a_completed_run_again_changes_nothing(trained, settings, tmp_path):
    run = Run(shutil.copytree(trained.folder, tmp_path / "again"))
    before = run.metrics_path.read_text()
    records = Training(run, settings())()
    assert records == written(run)
    assert run.metrics_path.read_text() == before
    with np.load(run.model_path) as first, np.load(trained.model_path) as second:
        assert all((first[name] == second[name]).all() for name in second)


def test_a_run_that_was_stopped_in_every_phase_ends_like_one_that_was_not(run, settings, trained, eager):
    for phase in PHASES:
        with pytest.raises(InterruptionError):
            Training(Run(run.folder), settings(), interrupting(phase, 1))()
        assert not run.model_path.exists()
    Training(Run(run.folder), settings())()
    assert [(record["phase"], record["epoch"]) for record in written(run)] == [
        (record["phase"], record["epoch"]) for record in written(trained)
    ]
    for resumed, undisturbed in zip(written(run), written(trained), strict=True):
        assert numbers(resumed) == pytest.approx(numbers(undisturbed), rel=1e-3, abs=1e-3)
    with np.load(run.model_path) as first, np.load(trained.model_path) as second:
        for name in second:
            np.testing.assert_allclose(first[name], second[name], atol=1e-3)


def test_epochs_may_be_added_and_phases_skipped_that_have_not_begun(run, settings, eager):
    Training(run, settings(epochs=1, fine_tune_epochs=0, self_critical_epochs=0))()
    records = Training(Run(run.folder), settings(epochs=2, fine_tune_epochs=0, self_critical_epochs=1))()
    assert [(record["phase"], record["epoch"]) for record in records] == [(FROZEN, 1), (FROZEN, 2), (SELF_CRITICAL, 1)]
    assert records == written(run)


@pytest.mark.parametrize("name", ["epochs", "fine_tune_epochs", "self_critical_epochs"])
def test_a_phase_that_was_trained_cannot_be_left_out_any_more(trained, settings, name):
    with pytest.raises(ConfigError, match="cannot be left out any more"):
        Training(trained, settings(**{name: 0}))()


def test_a_temperature_sharpens_what_is_written_and_not_what_is_learnt(run, settings, eager):
    losses, logits = [], []
    for temperature in (1.0, 0.5):
        training = Training(run, settings(temperature=temperature))
        model, batches = training.phase_of_features()
        inputs, targets, weights = next(iter(batches(0)))
        logits.append(keras.ops.convert_to_numpy(model(inputs)))
        losses.append(model.test_on_batch(inputs, targets, sample_weight=weights))
    np.testing.assert_allclose(logits[1], 2 * logits[0], rtol=1e-3, atol=1e-4)
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_the_third_phase_learns_from_features_of_the_network_that_the_second_trained(trained):
    photos, views, *grid = trained.features(varied=True).shape
    assert [photos, *grid] == [len(trained.examples), *trained.features().shape[2:]]
    assert views == 1 + 3
    upright = trained.features(varied=True)[:, 0] - trained.features()[:, 0]
    assert 1e-3 < np.abs(upright).max() < 1, "the photo itself, as the trained network sees it"


def test_lost_features_of_the_trained_network_are_computed_again(trained, settings, tmp_path):
    run = Run(shutil.copytree(trained.folder, tmp_path / "lost"))
    run.varied_features_path.unlink()
    Training(run, settings())()
    np.testing.assert_array_equal(run.features(varied=True), trained.features(varied=True))


def test_photos_that_are_gone_are_named_before_training_begins(run, settings):
    text = run.examples_path.read_text().replace("/blue_on_red.png", "/gone.png")
    run.examples_path.write_text(text)
    with pytest.raises(DataError, match=r"1 photos of .* are gone, such as .*gone\.png.*--fine-tune-epochs 0"):
        Training(run, settings())()
    Training(run, settings(fine_tune_epochs=0, self_critical_views=0)).check_phases()


def test_a_network_that_cannot_be_fine_tuned_is_refused_before_the_first_phase(run, settings):
    run.prepared["config"]["network"] = "EfficientNetV2B0"
    with pytest.raises(ConfigError, match="not EfficientNetV2B0; set --fine-tune-epochs 0"):
        Training(run, settings()).check_phases()
    Training(run, settings(fine_tune_epochs=0, self_critical_views=0)).check_phases()


def test_data_without_validation_photos_are_refused(run, settings):
    run.examples_path.write_text(run.examples_path.read_text().replace('"dev"', '"train"'))
    with pytest.raises(DataError, match="split 'dev'"):
        Training(run, settings())


def test_the_watcher_hears_of_every_phase_and_epoch(trained):
    updates = 3  # nine photos, four a batch
    assert eval((trained.folder / "heard").read_text()) == [
        line
        for phase, epochs in PHASES.items()
        for line in ((phase, updates * epochs), *((phase, epoch, epoch) for epoch in range(epochs + 1)))
    ]


def test_a_model_learns_its_training_photos_by_heart(learned):
    rows = learned.rows("train")
    references = [learned.examples[row].captions for row in rows]
    written = captioner_of_run(learned).caption([learned.examples[row].image for row in rows])
    scores = quick_caption_scores([caption.text for (caption,) in written], references)
    assert scores.bleu_4 > 90
    assert scores.cider_d > 300


def test_settings_and_folders_agree_on_the_names_of_phases(trained):
    assert {path.name for path in Path(trained.folder / "checkpoints").iterdir()} == set(PHASES)
