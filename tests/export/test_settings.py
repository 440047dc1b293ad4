import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ostinato.export.settings import setting_arrays, setting_specs, within_limits

LIMITS = {"width": (1, 10), "penalty": (0.5, 2), "absent": (0, 1)}


@dataclasses.dataclass(frozen=True)
class Settings:
    width: int = 5
    penalty: float = 1.0


def test_settings_are_scalars_of_the_types_of_their_defaults():
    specs = setting_specs(dataclasses.asdict(Settings()))
    assert [(spec.name, spec.dtype, spec.shape.rank) for spec in specs] == [
        ("width", tf.int32, 0),
        ("penalty", tf.float32, 0),
    ]


def test_a_whole_number_where_the_default_is_a_fraction_stays_a_fraction():
    arrays = setting_arrays(Settings(width=7, penalty=2))
    assert arrays["penalty"].dtype == np.float32
    assert arrays == {"width": 7, "penalty": 2.0}


@tf.function(autograph=False)
def limited(width, penalty, free):
    return within_limits({"width": width, "penalty": penalty, "free": free}, LIMITS)


def test_settings_within_their_limits_stay_as_they_are():
    for width, penalty in ((1, 0.5), (10, 2.0)):
        assert limited(tf.constant(width), tf.constant(penalty), tf.constant(-99)) == {
            "width": width,
            "penalty": penalty,
            "free": -99,
        }


@pytest.mark.parametrize(
    ("width", "penalty", "fault"), [(11, 1.0, "width is not within 1 and 10"), (5, np.nan, "penalty")]
)
def test_a_graph_refuses_settings_beyond_their_limits(width, penalty, fault):
    with pytest.raises(tf.errors.InvalidArgumentError, match=fault):
        limited(tf.constant(width), tf.constant(penalty, tf.float32), tf.constant(0))
