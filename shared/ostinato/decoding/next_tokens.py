"""What could stand at a place instead: the most probable tokens behind a given beginning."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from ostinato.decoding.options import ControlTokens, Scalar, StepFunction, Tensor
from ostinato.decoding.rules import first_tokens, token_penalty


class NextTokens(NamedTuple):
    """Tokens that may follow, the most probable first.

    Attributes:
      ids: int32 [B, N].
      log_probs: float32 [B, N], of the token alone, given what stands before it.
    """

    ids: Tensor
    log_probs: Tensor


def next_tokens(
    step: StepFunction,
    state: Any,
    memory: Any,
    prefix: Tensor,
    *,
    control: ControlTokens,
    num_results: Scalar = 5,
    start_tokens: Tensor | None = None,
) -> NextTokens:
    """Finds the most probable tokens behind a prefix.

    To see the alternatives at a position as whole sequences, let `beam_search` go on with each of them as the last
    token of its prefix.

    Args:
      step: the step function, see `StepFunction`. It is called with tokens [B, 1].
      state: nest of tensors [B, 1, ...], the state before the first token.
      memory: whatever the step function looks at.
      prefix: int [B, P], the tokens before, without the start token, then padding; each input has its own length, which
        may be 0.
      control: start, end and padding tokens; what is never written is no alternative, the end is.
      num_results: N, how many are wanted, fewer than the tokens that may be written.
      start_tokens: int [B], where inputs begin with other tokens than `control.start`.
    """
    batch, prefix_length = ops.shape(prefix)
    prefix = ops.cast(prefix, "int32")
    lengths = ops.sum(ops.cast(prefix != control.pad, "int32"), axis=1)  # -> [B]
    columns = ops.pad(prefix, ((0, 0), (0, 1)))  # so that there is one to read, even if the loop never runs
    first = first_tokens(batch, 1, control, start_tokens)  # -> [B, 1]

    def unread(position, tokens, state):
        return position < prefix_length

    def read(position, tokens, state):
        _, _, next_state = step(tokens, state, memory)
        going = (position < lengths)[:, None]  # -> [B, 1]
        # A shorter prefix waits, one token before its end, until all are read.
        state = keras.tree.map_structure(lambda new, old: ops.where(_align(going, new), new, old), next_state, state)
        return position + 1, ops.where(going, ops.take(columns, position, axis=1)[:, None], tokens), state

    start = (ops.convert_to_tensor(0, "int32"), first, state)
    _, tokens, state = ops.while_loop(unread, read, start)
    log_probs, _, _ = step(tokens, state, memory)  # -> [B, 1, V]
    penalty = token_penalty(ops.shape(log_probs)[2], 0, control, 0)
    best, ids = ops.top_k(log_probs[:, 0] + penalty, num_results)
    return NextTokens(ids, best)


def _align(going: Tensor, x: Tensor) -> Tensor:
    """Gives going [B, 1] the axes of x [B, 1, ...]."""
    return ops.reshape(going, (-1, *(1 for _ in x.shape[1:])))
