import pytest

from ostinato.errors import ConfigError
from ostinato_video.config import PrepareConfig, TimelineConfig, TrainConfig


def test_the_parts_are_those_of_the_encoder():
    from ostinato.layers.frame_encoder import PARTS

    assert PrepareConfig().parts == PARTS


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"frame_rate": 0.0}, "frame_rate .* is 0"),
        ({"frame_rate": float("nan")}, "frame_rate"),
        ({"image_size": 31}, "is 31"),
        ({"background_seconds": 0.0}, "background_seconds"),
        ({"one_in": -1}, "one_in"),
        ({"parts": ()}, "parts"),
        ({"parts": ("change", "sound")}, "not 'sound'"),
    ],
)
def test_what_videos_cannot_be_prepared_with_is_refused(changes, named):
    with pytest.raises(ConfigError, match=named):
        PrepareConfig(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"units": 0},
        {"fine_tune_blocks": -1},
        {"fine_tune_epochs": -1},
        {"fine_tune_learning_rate": 0.0},
        {"fine_tune_batch_size": 0},
        {"fine_tune_window": 0},
    ],
)
def test_what_no_training_can_have_is_refused(changes):
    with pytest.raises(ConfigError, match=next(iter(changes))):
        TrainConfig(**changes)


def test_the_image_network_stays_as_it_is_unless_blocks_of_it_are_to_learn():
    assert not TrainConfig().fine_tunes
    assert TrainConfig(fine_tune_blocks=2).fine_tunes
    assert not TrainConfig(fine_tune_blocks=2, fine_tune_epochs=0).fine_tunes


@pytest.mark.parametrize(
    "changes",
    [{"switch_cost": -0.5}, {"switch_cost": float("inf")}, {"min_seconds": -1.0}, {"abstain": 1.5}],
)
def test_what_no_timeline_can_have_is_refused(changes):
    with pytest.raises(ConfigError, match=next(iter(changes)).replace("_", "-")):
        TimelineConfig(**changes)


def test_the_background_is_the_average_of_so_many_seconds():
    assert PrepareConfig(frame_rate=8.0, background_seconds=50.0).background_rate == pytest.approx(1 / 400)
    assert PrepareConfig(frame_rate=1.0, background_seconds=0.1).background_rate == 1.0
