import dataclasses
import inspect

import pytest

from ostinato.config import read_config, write_config
from ostinato.errors import ConfigError
from ostinato_translate.config import DecodingConfig, PrepareConfig, TrainConfig


@pytest.mark.parametrize("kind", [PrepareConfig, TrainConfig, DecodingConfig])
def test_the_defaults_are_valid_and_documented_field_by_field(kind):
    kind()
    source = inspect.getsource(kind)
    for field in dataclasses.fields(kind):
        assert f"    {field.name}: " in source
    assert source.count('"""') >= 2 * len(dataclasses.fields(kind))


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        (PrepareConfig, {"languages": ("de",)}, "languages must be two or more"),
        (PrepareConfig, {"languages": ("de", "de")}, "one code is there twice"),
        (PrepareConfig, {"languages": ("de", "german")}, "'german' is no code"),
        (PrepareConfig, {"languages": ("de", "pt_BR")}, "'pt_BR' is no code"),
        (PrepareConfig, {"vocabulary_size": 299}, "vocabulary_size"),
        (PrepareConfig, {"max_pieces": 0}, "max_pieces"),
        (PrepareConfig, {"max_length_ratio": 0.9}, "max_length_ratio"),
        (PrepareConfig, {"max_length_ratio": float("nan")}, "max_length_ratio"),
        (TrainConfig, {"subword_alpha": -0.1}, "subword_alpha must be 0 or more and finite"),
        (TrainConfig, {"subword_alpha": float("inf")}, "subword_alpha must be 0 or more and finite"),
        (TrainConfig, {"dropout": 1.0}, "dropout must be at least 0 and below 1"),
        (TrainConfig, {"epochs_per_pass": 0}, "epochs_per_pass must be 1 or more"),
        (TrainConfig, {"epochs": -1}, "epochs must not be negative"),
        (TrainConfig, {"epochs": 0}, "nothing to train: epochs and self_critical_epochs are both 0"),
        (TrainConfig, {"temperature": 0.0}, "temperature must be above 0"),
        (TrainConfig, {"translations_per_sentence": 1}, "translations_per_sentence must be 2 or more"),
    ],
)
def test_a_setting_outside_its_range_is_named(kind, settings, named):
    with pytest.raises(ConfigError, match=named):
        kind(**settings)


def test_languages_are_read_from_a_file_as_they_were_written(tmp_path):
    config = PrepareConfig(languages=("de", "pt-br"), deduplicate=False)
    write_config(tmp_path / "prepare.toml", config)
    assert read_config(tmp_path / "prepare.toml", PrepareConfig) == config


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"beam_width": 0}, "--beam-width 0 is not within 1 and 100"),
        ({"length_penalty": float("nan")}, "--length-penalty nan"),
        ({"coverage_penalty": -0.1}, "--coverage-penalty -0.1 is not 0 or more"),
        ({"patience": 1.5}, "--patience 1.5 is not within 0 and 1"),
        ({"pruning": float("nan")}, "--pruning nan is not within 0 and 1000"),
        ({"no_repeat_ngram": 21}, "--no-repeat-ngram 21"),
        ({"num_translations": 0}, "--num-translations 0"),
        ({"max_length_ratio": 0.0}, "--max-length-ratio 0.0 is not within 0.01 and 20"),
    ],
)
def test_a_search_that_cannot_be_is_refused_by_its_flag(settings, fault):
    with pytest.raises(ConfigError, match=fault):
        DecodingConfig(**settings)
