import pytest

from ostinato.config import read_config, write_config
from ostinato.errors import ConfigError
from ostinato_gesture.augmentation_config import parse_points
from ostinato_gesture.config import EventConfig, PrepareConfig, TrainConfig


def test_settings_of_training_survive_their_file(tmp_path):
    config = TrainConfig(units=5, rotation=3.0, joined=0.25, differences=False)
    write_config(tmp_path / "train.toml", config)
    assert read_config(tmp_path / "train.toml", TrainConfig) == config


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (PrepareConfig, {"frame_rate": 0.0}),
        (PrepareConfig, {"num_hands": 3}),
        (PrepareConfig, {"background_label": ""}),
        (TrainConfig, {"units": 0}),
        (TrainConfig, {"rotation": -1.0}),
        (TrainConfig, {"joined": 1.5}),
        (TrainConfig, {"folds": 1}),
        (TrainConfig, {"blended": 1.5}),
        (TrainConfig, {"points": "1"}),
        (TrainConfig, {"points": "0:1:2:3"}),
        (TrainConfig, {"points": "0:x"}),
        (TrainConfig, {"points": "0:1,2:1"}),
        (EventConfig, {"rise": 0.0}),
        (EventConfig, {"rise": 0.4, "fall": 0.5}),
        (EventConfig, {"refractory_seconds": -1.0}),
        (EventConfig, {"abstain": 2.0}),
    ],
)
def test_settings_out_of_range_are_refused_by_name(kind, settings):
    with pytest.raises(ConfigError, match=list(settings)[-1].replace("_", "[_-]")):
        kind(**settings)


def test_points_are_named_by_their_columns():
    assert parse_points("0:1:2, 7:5") == ((0, 1, 2), (7, 5))
    assert parse_points("") == ()
