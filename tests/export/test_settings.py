import dataclasses

import numpy as np
import tensorflow as tf

from ostinato.export.settings import setting_arrays, setting_specs


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
