import dataclasses
import logging

import numpy as np
import pytest

from ostinato.config import write_config
from ostinato.errors import ConfigError, DataError
from ostinato_translate.config import PrepareConfig, TrainConfig
from ostinato_translate.run import Run


def lines(folder, name):
    return (folder / name).read_text(encoding="utf-8").splitlines()


def test_a_folder_that_is_not_prepared_is_refused(tmp_path):
    with pytest.raises(DataError, match="is no prepared run directory; run `prepare` first"):
        _ = Run(tmp_path).languages


def test_the_sentences_of_each_row_come_back_as_they_were(run, numerals):
    assert run.languages == ("de", "en", "fr")
    for language in run.languages:
        texts = [run.tokenizer.decode(run.sentence(row, language)) for row in range(run.num_rows)]
        assert texts == lines(numerals, f"train.{language}")


def test_a_language_that_a_row_lacks_has_no_pieces(run):
    assert run.sentence(7, "de").tolist() == []
    assert run.lengths[7, 0] == 0
    assert (run.lengths > 0).sum() == 35 * 3 - 1


def test_lengths_are_those_of_the_sentences(run):
    assert run.lengths.shape == (35, 3)
    for row, language in ((0, "de"), (11, "fr"), (34, "en")):
        assert run.lengths[row, run.languages.index(language)] == len(run.sentence(row, language))
    assert run.lengths.sum() == len(run.tokens) == run.prepared["counts"]["tokens"]


def test_arrays_are_mapped_and_hold_neither_start_nor_end_nor_languages(run):
    assert isinstance(run.tokens, np.memmap)
    assert isinstance(run.offsets, np.memmap)
    assert (run.tokens.dtype, run.offsets.dtype) == (np.uint16, np.int64)
    assert run.language_ids == [4, 5, 6]
    assert run.tokens.min() > 6


def test_validation_rows_are_texts_by_language(run, numerals):
    assert [row["de"] for row in run.dev_rows] == lines(numerals, "val.de")
    assert all(list(row) == ["de", "en", "fr"] for row in run.dev_rows)


def test_the_settings_of_preparing_come_back(run):
    assert run.prepare_config == PrepareConfig(languages=("de", "en", "fr"), vocabulary_size=330)


def test_the_log_has_what_translation_reports(run):
    with run.log():
        logging.getLogger("ostinato_translate.train").info("epoch 3")
    assert run.log_path.read_text().endswith("epoch 3\n")


@pytest.mark.parametrize(
    ("name", "value", "is_fixed"),
    [
        ("units", 24, True),
        ("encoder_units", 24, True),
        ("encoder_layers", 3, True),
        ("embedding_size", 24, True),
        ("attention", "additive", True),
        ("attention_units", 24, True),
        ("directions", ("de-en",), True),
        ("averaging", 0.0, True),
        ("averaging", 0.5, False),
        ("epochs", 99, False),
        ("learning_rate", 0.5, False),
    ],
)
def test_what_the_checkpoints_depend_on_cannot_be_changed(run, name, value, is_fixed):
    changed = dataclasses.replace(TrainConfig(), **{name: value})
    write_config(run.config_path, TrainConfig())
    run.check_resumes(changed)  # nothing has begun
    run.phase_folder("training").mkdir(parents=True)
    (run.phase_folder("training") / "checkpoint.npz").touch()
    run.check_resumes(TrainConfig())
    if is_fixed:
        with pytest.raises(ConfigError, match=f"was begun with {name} = "):
            run.check_resumes(changed)
    else:
        run.check_resumes(changed)
