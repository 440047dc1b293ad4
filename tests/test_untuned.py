import gc
import time

import tensorflow as tf

from ostinato.untuned import untuned


def test_an_iterator_is_let_go_of_at_once_with_the_same_elements():
    dataset = untuned(tf.data.Dataset.range(100).map(lambda x: 2 * x).prefetch(2))
    iterator = iter(dataset)
    seen = [int(next(iterator)) for _ in range(50)]
    assert seen == list(range(0, 100, 2))
    time.sleep(3)  # the thread that tunes would sleep for another two seconds by now
    begun = time.monotonic()
    del iterator
    gc.collect()
    assert time.monotonic() - begun < 1


def test_other_options_stay():
    options = tf.data.Options()
    options.deterministic = False
    kept = untuned(tf.data.Dataset.range(3).with_options(options)).options()
    assert kept.autotune.enabled is False
    assert kept.deterministic is False
