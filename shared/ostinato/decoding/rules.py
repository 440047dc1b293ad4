"""What sequences begin with and what may follow: rules that change log-probabilities before a choice is made."""

from __future__ import annotations

from keras import ops

from ostinato.decoding.options import ControlTokens, Scalar, Tensor

FORBIDDEN = -1e9  # added to a log-probability


def first_tokens(batch: Scalar, width: Scalar, control: ControlTokens, start_tokens: Tensor | None) -> Tensor:
    """Returns what sequences begin with, int32 [batch, width]: the tokens of each input, int [batch], if given."""
    if start_tokens is None:
        return ops.full((batch, width), control.start, dtype="int32")
    return ops.broadcast_to(ops.cast(start_tokens, "int32")[:, None], (batch, width))


def token_penalty(vocabulary_size: Scalar, position: Tensor, control: ControlTokens, min_length: Scalar) -> Tensor:
    """Returns what makes tokens impossible wherever they stand: padding, start and banned ones, an early end.

    Args:
      vocabulary_size: V.
      position: int [], tokens written so far.
      control: which tokens these are.
      min_length: the end token is impossible before so many tokens are written.

    Returns:
      float32 [V], 0 where a token may follow.
    """
    vocabulary = ops.arange(vocabulary_size)
    impossible = ops.logical_and(vocabulary == control.end, position < min_length)
    for token_id in (control.pad, control.start, *control.banned):
        impossible = ops.logical_or(impossible, vocabulary == token_id)
    return ops.where(impossible, FORBIDDEN, 0.0)


def repeated_ngram_penalty(ids: Tensor, position: Tensor, n: Scalar, vocabulary_size: Scalar) -> Tensor:
    """Returns what makes every token impossible that would complete an n-gram for the second time.

    Args:
      ids: int [B, K, T], tokens so far.
      position: int [], how many of them are written.
      n: size of the n-grams, 1 or more; an int32 scalar tensor where the caller of a graph chooses it.
      vocabulary_size: V.

    Returns:
      float32 [B, K, V], 0 where a token may follow.
    """
    batch, width, length = ops.shape(ids)
    starts = ops.arange(length)
    completed = starts + n <= position  # n-grams that lie wholly in what is written -> [T]
    matches = ops.broadcast_to(completed, (batch, width, length))

    def match(offset: Scalar, matches: Tensor) -> Tensor:
        """The offset-th token of each earlier n-gram against the offset-th of the unfinished last one."""
        earlier = ops.take(ids, ops.minimum(starts + offset, length - 1), axis=2)  # -> [B, K, T]
        last = ops.take(ids, ops.maximum(position - n + 1 + offset, 0), axis=2)  # -> [B, K]
        return ops.logical_and(matches, earlier == last[:, :, None])

    if isinstance(n, int):
        for offset in range(n - 1):
            matches = match(offset, matches)
    else:
        matches = ops.fori_loop(0, n - 1, match, matches)
    completion = ops.take(ids, ops.minimum(starts + n - 1, length - 1), axis=2)  # -> [B, K, T]
    rows = ops.arange(batch * width)[:, None] * vocabulary_size  # scattered flat: [B, K, T, V] would be large
    places = ops.cast(ops.reshape(completion, (batch * width, length)), rows.dtype) + rows
    amounts = ops.reshape(ops.cast(matches, "float32"), (-1,))
    counts = ops.segment_sum(amounts, ops.reshape(places, (-1,)), num_segments=batch * width * vocabulary_size)
    return ops.reshape(counts, (batch, width, vocabulary_size)) * FORBIDDEN
