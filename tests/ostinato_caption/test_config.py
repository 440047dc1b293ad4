import dataclasses
import inspect

import pytest

from ostinato.errors import ConfigError
from ostinato_caption.config import DecodingConfig, PrepareConfig, SamplingConfig, TrainConfig


@pytest.mark.parametrize("kind", [PrepareConfig, TrainConfig, DecodingConfig, SamplingConfig])
def test_the_defaults_are_valid_and_documented_field_by_field(kind):
    kind()
    source = inspect.getsource(kind)
    for field in dataclasses.fields(kind):
        assert f"    {field.name}: " in source
    assert source.count('"""') >= 2 * len(dataclasses.fields(kind))


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        (PrepareConfig, {"image_size": 31}, "image_size"),
        (PrepareConfig, {"image_size": 1025}, "image_size"),
        (PrepareConfig, {"vocabulary_size": 299}, "vocabulary_size"),
        (PrepareConfig, {"max_pieces": 0}, "max_pieces"),
        (PrepareConfig, {"varied": -1}, "varied"),
        (TrainConfig, {"units": 0}, "units"),
        (TrainConfig, {"decoders": 0}, "decoders"),
        (TrainConfig, {"photos_per_batch": 0}, "photos_per_batch"),
        (TrainConfig, {"validation_beam_width": 0}, "validation_beam_width"),
        (TrainConfig, {"dropout": 1.0}, "dropout"),
        (TrainConfig, {"averaging": -0.1}, "averaging"),
        (TrainConfig, {"learning_rate": 0.0}, "learning_rate"),
        (TrainConfig, {"learning_rate": float("nan")}, "learning_rate"),
        (TrainConfig, {"gradient_clip": 0.0}, "gradient_clip"),
        (TrainConfig, {"weight_decay": -1.0}, "weight_decay"),
        (TrainConfig, {"fine_tune_blocks": -1}, "fine_tune_blocks"),
        (TrainConfig, {"epochs": -1}, "epochs"),
        (TrainConfig, {"seed": -1}, "seed"),
        (TrainConfig, {"captions_per_photo": 1}, "captions_per_photo"),
        (TrainConfig, {"epochs": 0, "fine_tune_epochs": 0, "self_critical_epochs": 0}, "nothing to train"),
        (DecodingConfig, {"beam_width": 0}, "--beam-width"),
        (DecodingConfig, {"beam_width": 101}, "--beam-width"),
        (DecodingConfig, {"num_captions": 0}, "--num-captions"),
        (DecodingConfig, {"length_penalty": float("inf")}, "--length-penalty"),
        (DecodingConfig, {"patience": 1.5}, "--patience"),
        (DecodingConfig, {"pruning": -0.1}, "--pruning"),
        (DecodingConfig, {"min_length": -1}, "--min-length"),
        (DecodingConfig, {"min_length": 7, "max_length": 7}, "--max-length"),
        (DecodingConfig, {"max_length": 201}, "--max-length"),
        (SamplingConfig, {"temperature": 0.0}, "--temperature"),
        (SamplingConfig, {"temperature": float("nan")}, "--temperature"),
        (SamplingConfig, {"top_k": -1}, "--top-k"),
        (SamplingConfig, {"top_p": 0.0}, "--top-p"),
        (SamplingConfig, {"top_p": 1.1}, "--top-p"),
        (SamplingConfig, {"seed": 2**31}, "--seed"),
    ],
)
def test_a_setting_outside_its_range_is_named(kind, settings, named):
    with pytest.raises(ConfigError, match=named):
        kind(**settings)


def test_training_without_its_third_phase_may_take_one_caption_a_photo():
    assert TrainConfig(captions_per_photo=1, self_critical_epochs=0).captions_per_photo == 1


def test_a_search_cannot_return_more_captions_than_it_keeps():
    DecodingConfig(num_captions=5, beam_width=5).check_search()
    many = DecodingConfig(num_captions=7, beam_width=5)  # fine for sampling, which has no beams
    with pytest.raises(ConfigError, match="raise --beam-width to 7"):
        many.check_search()
