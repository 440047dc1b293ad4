import dataclasses
import json
import shutil

import numpy as np
import pytest

from ostinato.config import read_config
from ostinato.errors import ConfigError, DataError, ModelError
from ostinato_translate.config import DecodingConfig, PrepareConfig, TrainConfig
from ostinato_translate.data import open_corpus
from ostinato_translate.exporting import export_run, load_trained, samples_of_run, translator_of_run
from ostinato_translate.prepare import prepare
from ostinato_translate.run import Run
from ostinato_translate.starting import take_over
from ostinato_translate.train import Training
from ostinato_translate.translator import Translator
from ostinato_translate.written_pieces import WRITTEN_PIECES

TEXTS = ["two and three dogs.", "one and five big houses."]


@pytest.fixture(scope="module")
def version(learned, proofs_in_this_process, tmp_path_factory):
    return export_run(
        learned,
        tmp_path_factory.mktemp("models") / "numerals",
        decoding=DecodingConfig(),
        samples=samples_of_run(learned, 2),
        metadata={},
        model_card=None,
    )


@pytest.fixture
def started(version, numerals, tmp_path):
    """A run of two languages that goes on from a model of three."""
    run = Run(tmp_path / "started")
    prepare(run, open_corpus(numerals), PrepareConfig(languages=("en", "de"), start_from=str(version.parent)))
    return run


def change_interface(version, copy, **metadata):
    """Copies a model, with other facts in its interface; None takes one away."""
    shutil.copytree(version, copy)
    interface = json.loads((copy / "interface.json").read_text())
    interface["metadata"] |= metadata
    interface["metadata"] = {name: value for name, value in interface["metadata"].items() if value is not None}
    (copy / "interface.json").write_text(json.dumps(interface))
    return copy


def test_it_has_the_vocabulary_of_the_model_and_the_settings_of_its_network(started, version, learned):
    assert started.tokenizer.model == learned.tokenizer.model
    assert started.languages == ("de", "en")
    assert started.language_ids == [4, 5]
    texts = [started.tokenizer.decode(started.sentence(row, "en")) for row in range(started.num_rows)]
    assert "one and two dogs." in texts
    learned_config, config = (read_config(run.config_path, TrainConfig) for run in (learned, started))
    for name in ("embedding_size", "encoder_units", "encoder_layers", "units", "attention", "attention_units"):
        assert getattr(config, name) == getattr(learned_config, name)
    assert config.directions == ()  # those are the new run's own
    assert started.prepare_config.start_from == str(version.resolve())


def test_before_training_it_writes_what_the_model_writes(started, version):
    shutil.copyfile(started.start_path, started.model_path)
    for ours, theirs in zip(
        translator_of_run(started).translate(TEXTS, "de"), Translator.load(version).translate(TEXTS, "de"), strict=True
    ):
        assert ours[0].text == theirs[0].text
        assert ours[0].score == pytest.approx(theirs[0].score, abs=1e-4)


def test_training_begins_with_the_weights_of_the_model(started, learned):
    config = dataclasses.replace(read_config(started.config_path, TrainConfig), directions=("en-de",))
    for weight, expected in zip(Training(started, config).model.weights, load_trained(learned).weights, strict=True):
        assert weight.path == expected.path
        np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-6)  # models are stored as float16


def test_its_network_cannot_be_changed_and_its_directions_can(started):
    config = read_config(started.config_path, TrainConfig)
    with pytest.raises(ConfigError, match="was begun with units = 36, not 512; keep it, or prepare a new run"):
        started.check_resumes(dataclasses.replace(config, units=512))
    started.check_resumes(dataclasses.replace(config, directions=("de-en",), averaging=0.0, dropout=0.5))


def test_preparing_again_changes_nothing_and_another_model_is_another_run(started, version, numerals, tmp_path):
    before = {path.name: path.stat().st_mtime_ns for path in started.folder.iterdir()}
    config = started.prepare_config
    prepare(Run(started.folder), open_corpus(numerals), config)
    assert {path.name: path.stat().st_mtime_ns for path in started.folder.iterdir()} == before
    other = dataclasses.replace(config, start_from=str(shutil.copytree(version, tmp_path / "other")))
    with pytest.raises(DataError, match="prepared from other data or settings"):
        prepare(Run(started.folder), open_corpus(numerals), other)


@pytest.mark.parametrize(
    ("metadata", "error", "fault"),
    [
        ({"languages": ["en", "fr"]}, ConfigError, "knows en, fr, not de; name languages that it knows by --languages"),
        ({"application": "ostinato_caption"}, ModelError, "is no translation model that says what its network is"),
        ({"network": None}, ModelError, "as those exported today do; name another, or export its run again"),
    ],
)
def test_a_model_that_cannot_be_gone_on_from_is_refused(version, numerals, tmp_path, metadata, error, fault):
    model = change_interface(version, tmp_path / "model", **metadata)
    run = Run(tmp_path / "run")
    with pytest.raises(error, match=fault):
        prepare(run, open_corpus(numerals), PrepareConfig(languages=("de", "en"), start_from=str(model)))
    assert not run.folder.exists()


@pytest.mark.parametrize("changed", [{"units": 24}, {"of_a_later_program": 1}])
def test_weights_that_do_not_fit_the_network_are_refused(version, numerals, tmp_path, changed):
    network = json.loads((version / "interface.json").read_text())["metadata"]["network"]
    model = change_interface(version, tmp_path / "model", network={**network, **changed})
    with pytest.raises(ModelError, match="are not those of its network; export it again"):
        prepare(Run(tmp_path / "run"), open_corpus(numerals), PrepareConfig(start_from=str(model)))


def test_a_model_without_its_tokenizer_is_damaged(version, numerals, tmp_path):
    model = change_interface(version, tmp_path / "model")
    (model / "assets.extra" / "tokenizer.model").unlink()
    with pytest.raises(ModelError, match=r"tokenizer and weights in .* are not those of its network"):
        prepare(Run(tmp_path / "run"), open_corpus(numerals), PrepareConfig(start_from=str(model)))


def test_what_a_preparation_that_failed_took_over_is_forgotten(version, numerals, tmp_path):
    run = Run(tmp_path / "run")
    data = shutil.copytree(numerals, tmp_path / "data")
    for path in data.glob("val.*"):
        path.write_text("\n" * 5)
    with pytest.raises(DataError, match="has no validation row"):
        prepare(run, open_corpus(data), PrepareConfig(start_from=str(version)))
    assert run.start_path.exists()
    assert run.start_pieces_path.exists()
    prepare(run, open_corpus(numerals), PrepareConfig(vocabulary_size=330))
    assert not run.start_path.exists()
    assert not run.start_pieces_path.exists()
    assert not run.config_path.exists()


def test_the_pieces_of_another_model_are_forgotten(version, numerals, tmp_path):
    old = shutil.copytree(version, tmp_path / "old" / "1")
    (old / "assets.extra" / WRITTEN_PIECES).unlink()  # exports of old do not say
    run = Run(tmp_path / "run")
    take_over(run, version)
    assert run.start_pieces_path.exists()
    take_over(run, old)
    assert not run.start_pieces_path.exists()


def test_a_model_that_is_not_there_is_named_with_those_that_are(numerals, tmp_path):
    with pytest.raises(ModelError, match="No model nowhere; give an exported folder or a shipped model"):
        prepare(Run(tmp_path / "run"), open_corpus(numerals), PrepareConfig(start_from="nowhere"))
