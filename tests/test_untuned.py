from typing import Any

import numpy as np
import tensorflow as tf

from ostinato.training import feed_epochs
from ostinato.untuned import untuned


def test_nothing_but_the_tuning_changes():
    options = tf.data.Options()
    options.deterministic = False
    dataset = untuned(tf.data.Dataset.range(3).map(lambda x: 2 * x).with_options(options))
    assert [int(element) for element in dataset] == [0, 2, 4]
    assert dataset.options().autotune.enabled is False
    assert dataset.options().deterministic is False


def test_training_data_are_not_tuned():
    data: Any = feed_epochs(lambda epoch: iter([(np.zeros([1, 2]), np.ones([1]))] * 2))(0)
    assert data.options().autotune.enabled is False
    assert len(list(data)) == 2
