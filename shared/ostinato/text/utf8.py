"""UTF-8 as TensorFlow operations on bytes."""

from __future__ import annotations

import tensorflow as tf

NO_BYTE = -1

_REPLACEMENT = "\ufffd"


def code_points_of(texts: tf.Tensor) -> tf.RaggedTensor:
    """Returns the characters int32 [B, (T)] of texts string [B]; each byte that is no part of one becomes U+FFFD."""
    characters = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    # It replaces all bytes of a character that is cut off by one U+FFFD, not each.
    return tf.cond(
        tf.reduce_any(characters.values == ord(_REPLACEMENT)),
        lambda: tf.strings.unicode_decode(_repaired(texts), "UTF-8"),
        lambda: characters,
    )


def utf8_bytes(code_points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the bytes int32 [..., 4] of characters int32 [...] and how many each has, int32 [...].

    Behind the last of them stand bytes that mean nothing.
    """
    count = 1 + tf.add_n([tf.cast(code_points >= least, tf.int32) for least in (0x80, 0x800, 0x10000)])
    place = tf.range(4)
    shift = tf.maximum(6 * (count[..., tf.newaxis] - 1 - place), 0)
    bits = tf.bitwise.right_shift(code_points[..., tf.newaxis], shift)
    leading = bits + tf.gather([0, 0xC0, 0xE0, 0xF0], count - 1)[..., tf.newaxis]
    return tf.where(place == 0, leading, 0x80 + bits % 0x40), count


def _repaired(texts: tf.Tensor) -> tf.Tensor:
    """Returns texts string [B] with U+FFFD for each byte that is no part of a character."""
    parts = tf.strings.bytes_split(texts)
    values = tf.cast(tf.io.decode_raw(parts.values, tf.uint8)[:, 0], tf.int32)
    # one place behind each text, lest characters begin in one and end in the next
    rows = tf.cast(parts.value_rowids(), tf.int32)
    places = tf.range(tf.size(values)) + rows
    spaced = tf.tensor_scatter_nd_update(
        tf.fill([tf.size(values) + tf.size(texts)], NO_BYTE), places[:, tf.newaxis], values
    )
    is_whole = tf.gather(in_whole_characters(spaced), places)
    return tf.strings.reduce_join(parts.with_values(tf.where(is_whole, parts.values, _REPLACEMENT)), axis=1)


def in_whole_characters(values: tf.Tensor) -> tf.Tensor:
    """Says of each byte whether it belongs to a well-formed character.

    A character is well-formed only if its bytes follow one another; what stands between them (`NO_BYTE`) breaks it.

    Args:
      values: int32 [..., T], bytes 0 to 255, or `NO_BYTE`.

    Returns:
      bool [..., T], False at `NO_BYTE`.

    Reference: RFC 3629, section 4 (no overlong form, no surrogate, nothing above U+10FFFF).
    """
    # how many bytes the character has that begins here; 0 where none can
    length = tf.cast(_between(values, 0x00, 0x7F), tf.int32)
    for number, lowest, greatest in ((2, 0xC2, 0xDF), (3, 0xE0, 0xEF), (4, 0xF0, 0xF4)):
        length = tf.where(_between(values, lowest, greatest), number, length)
    second, third, fourth = (_following(values, distance) for distance in (1, 2, 3))
    lowest_second = tf.where(values == 0xE0, 0xA0, tf.where(values == 0xF0, 0x90, 0x80))
    greatest_second = tf.where(values == 0xED, 0x9F, tf.where(values == 0xF4, 0x8F, 0xBF))
    begins = (
        (length >= 1)
        & ((length < 2) | _between(second, lowest_second, greatest_second))
        & ((length < 3) | _between(third, 0x80, 0xBF))
        & ((length < 4) | _between(fourth, 0x80, 0xBF))
    )
    inside = begins
    for distance in (1, 2, 3):
        inside |= _preceding(begins & (length > distance), distance)
    return inside


def _between(values: tf.Tensor, lowest: tf.Tensor | int, greatest: tf.Tensor | int) -> tf.Tensor:
    return (values >= lowest) & (values <= greatest)


def _following(values: tf.Tensor, distance: int) -> tf.Tensor:
    """At each place of int32 [..., T], the value that stands so far behind it; `NO_BYTE` behind the end."""
    return tf.concat([values[..., distance:], tf.fill(tf.shape(values[..., :distance]), NO_BYTE)], axis=-1)


def _preceding(flags: tf.Tensor, distance: int) -> tf.Tensor:
    """At each place of bool [..., T], the flag that stands so far before it; False before the beginning."""
    return tf.concat([tf.zeros_like(flags[..., :distance]), flags[..., :-distance]], axis=-1)
