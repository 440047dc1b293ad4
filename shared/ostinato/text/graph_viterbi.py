"""The best segmentation of texts into scored pieces, as TensorFlow operations on whole batches.

Texts stand one behind the other on one axis N of characters, each behind one place that is no character (its *start*),
so that nothing is spent on padding. `scores` float32 [N, L] holds at each place the scores of the pieces that end with
this character and have 1, 2, ... L characters, and minus infinity where there is no such piece.

The best path follows the reference implementation (SentencePiece from 0.2.2 on) to the last bit: it sums in float32
from the first character on, and of several segmentations with equal sums takes that whose last piece is longest. Equal
sums are no rarity: those of "aa" + "a" and "a" + "aa" are, and rounding makes more. (Up to 0.2.1 sums were compared
before they were rounded, so that some of these came out otherwise.)

References: Viterbi 1967, Error bounds for convolutional codes and an asymptotically optimum decoding algorithm;
Kudo 2018, Subword Regularization.
"""

from __future__ import annotations

import tensorflow as tf

_BLOCK = 16  # characters per turn of the loop: a turn costs more than what is done in it


def best_scores(scores: tf.Tensor, starts: tf.Tensor, longest: tf.Tensor) -> tf.Tensor:
    """Returns the score float32 [N] of the best segmentation that ends at each place; 0 at starts.

    Args:
      scores: float32 [N, L].
      starts: int32 [B], the places of starts, ascending.
      longest: int32, characters of the longest text.
    """
    count, span, batch = tf.shape(scores)[0], scores.shape[1], tf.size(starts)
    blocks = tf.maximum(1, (longest + _BLOCK - 1) // _BLOCK)

    def turn(
        block: tf.Tensor, window: tf.Tensor, written: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
        places = starts + 1 + (block * _BLOCK + tf.range(_BLOCK))[:, tf.newaxis]
        # behind the end of a text stands the next one; what is computed there is never read
        of_block = tf.unstack(tf.gather(scores, tf.minimum(places, count - 1)))
        # float32 [B] each: the best scores one, two, ... places before
        before, found = tf.unstack(window), []
        for of_place in of_block:
            best = tf.reduce_max(tf.stack(before, axis=1) + of_place, axis=1)
            before = [best, *before[:-1]]
            found.append(best)
        return block + 1, tf.stack(before), written.write(block, tf.stack(found))

    window = tf.concat([tf.zeros([1, batch]), tf.fill([span - 1, batch], -float("inf"))], axis=0)
    written = tf.TensorArray(tf.float32, size=blocks, element_shape=[_BLOCK, None])
    _, _, written = tf.while_loop(lambda block, *_: block < blocks, turn, [0, window, written])
    found = tf.concat([tf.zeros([1, batch]), tf.reshape(written.stack(), [-1, batch])], axis=0)
    text = tf.cumsum(tf.scatter_nd(starts[:, tf.newaxis], tf.ones_like(starts), [count])) - 1
    return tf.gather_nd(found, tf.stack([tf.range(count) - tf.gather(starts, text), text], axis=1))


def last_lengths(scores: tf.Tensor, best: tf.Tensor) -> tf.Tensor:
    """Returns the length int32 [N] in characters of the last piece of the best segmentation that ends at each place.

    Args:
      scores: float32 [N, L].
      best: float32 [N], as `best_scores` returns it.
    """
    count, span = tf.shape(scores)[0], scores.shape[1]
    padded = tf.concat([tf.fill([span], -float("inf")), best], axis=0)
    # longest first, because the first of several equals is taken
    lengths = range(span, 0, -1)
    before = tf.stack([padded[span - length : span - length + count] for length in lengths], axis=1)
    is_best = before + scores[:, ::-1] == best[:, tf.newaxis]
    return span - tf.argmax(is_best, axis=1, output_type=tf.int32)


def on_path(before: tf.Tensor, ends: tf.Tensor, longest: tf.Tensor) -> tf.Tensor:
    """Returns bool [N]: the places that one comes to from the ends by going back again and again.

    As many steps as there are pieces are too many to be taken one by one: each turn takes twice as many as that before
    it (pointer jumping, Wyllie 1979).

    Args:
      before: int32 [N], the place that one comes to from each; starts lead to themselves.
      ends: int32 [B], the last places of texts.
      longest: int32, the greatest number of steps.
    """
    count = tf.size(before)

    def turn(steps: tf.Tensor, marked: tf.Tensor, before: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        reached = tf.maximum(tf.math.unsorted_segment_max(marked, before, count), 0)
        return 2 * steps, tf.maximum(marked, reached), tf.gather(before, before)

    marked = tf.scatter_nd(ends[:, tf.newaxis], tf.ones_like(ends), [count])
    _, marked, _ = tf.while_loop(lambda steps, *_: steps <= longest, turn, [1, marked, before])
    return marked == 1
