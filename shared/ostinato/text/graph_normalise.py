"""What core TensorFlow operations can do of `ostinato.text.normalise`."""

from __future__ import annotations

import tensorflow as tf

from ostinato.text.normalise import REPLACEMENT, SPACES_AND_CONTROLS


def graph_normalise(texts: tf.Tensor) -> tf.Tensor:
    """Returns texts string [...] as `normalise` does, but with characters left composed or decomposed as they are.

    What is no UTF-8 becomes U+FFFD, as by Python's `bytes.decode(errors="replace")`.
    """
    whole = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace", replacement_char=ord(REPLACEMENT))
    return tf.strings.strip(tf.strings.regex_replace(whole, SPACES_AND_CONTROLS, " "))
