"""Greedy decoding and random sampling over any step function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ostinato.decoding.beams import choose_beams
from ostinato.decoding.options import ControlTokens, Hypotheses, SamplingOptions, Scalar, StepFunction, Tensor
from ostinato.decoding.rules import FORBIDDEN, first_tokens, token_penalty

# (position int [], shape) -> float32 of that shape, uniform in [0, 1)
UniformNoise = Callable[[Tensor, tuple], Tensor]

COLDEST = 1e-6  # what a temperature of 0 is taken for: the most probable token always wins


def sample(
    step: StepFunction,
    state: Any,
    memory: Any,
    options: SamplingOptions,
    *,
    control: ControlTokens,
    num_places: Scalar,
    uniform: UniformNoise,
    start_tokens: Tensor | None = None,
    max_lengths: Tensor | None = None,
) -> Hypotheses:
    """Draws sequences token by token.

    Args:
      step: the step function, see `StepFunction`.
      state: nest of tensors [B, 1, ...], the state before the first token.
      memory: whatever the step function looks at.
      options: see `SamplingOptions`.
      control: start, end and padding tokens.
      num_places: S, how many places the step function's attention covers.
      uniform: the source of chance, so that whoever draws decides on seeds. A token is the largest of
        log-probability plus Gumbel noise (Maddison et al. 2014), which is a draw from the distribution.
      start_tokens: int [B], where inputs begin with other tokens than `control.start`.
      max_lengths: int [B], the greatest length of each input, where it is below `options.max_length`; at least 1.

    Returns:
      `Hypotheses` with N = `options.num_results`, sorted by log-probability, which is that under the model, whatever
      the temperature.
    """
    # Limits cost a sort of the vocabulary at every step: left out where the graph is made without them.
    unlimited = [isinstance(x, int | float) and x == limit for x, limit in ((options.top_k, 0), (options.top_p, 1))]

    def choose(log_probs, position):
        logits = log_probs / ops.maximum(ops.cast(options.temperature, "float32"), COLDEST)
        if not all(unlimited):
            logits = keep_probable(logits, options.top_k, options.top_p)
        noise = ops.clip(uniform(position, ops.shape(logits)), 1e-20, 1.0 - 1e-7)
        return ops.argmax(logits - ops.log(-ops.log(noise)), axis=-1)

    return _write(step, state, memory, options, control, num_places, choose, start_tokens, max_lengths)


def greedy_search(
    step: StepFunction,
    state: Any,
    memory: Any,
    *,
    control: ControlTokens,
    num_places: Scalar,
    min_length: Scalar = 1,
    max_length: Scalar = 30,
    start_tokens: Tensor | None = None,
    max_lengths: Tensor | None = None,
) -> Hypotheses:
    """Takes the most probable token at every step: one sequence for each input, `Hypotheses` with N = 1.

    Args: as in `sample`; lengths as in `SamplingOptions`.
    """
    options = SamplingOptions(min_length=min_length, max_length=max_length)

    def choose(log_probs, position):
        return ops.argmax(log_probs, axis=-1)

    return _write(step, state, memory, options, control, num_places, choose, start_tokens, max_lengths)


def _write(
    step, state, memory, options: SamplingOptions, control: ControlTokens, num_places, choose, start_tokens, max_lengths
) -> Hypotheses:
    batch = ops.shape(keras.tree.flatten(state)[0])[0]
    width, length = options.num_results, options.max_length
    start = (
        ops.convert_to_tensor(0, "int32"),
        first_tokens(batch, width, control, start_tokens),
        keras.tree.map_structure(lambda x: ops.repeat(x, width, axis=1), state),
        ops.zeros((batch, width), dtype="bool"),  # ended
        ops.full((batch, width, length), control.pad, dtype="int32"),
        ops.zeros((batch, width), dtype="float32"),
        ops.zeros((batch, width, length, num_places), dtype="float32"),
    )

    def unfinished(position, tokens, state, ended, *written):
        return ops.logical_and(position < length, ops.logical_not(ops.all(ended)))

    def advance(position, tokens, state, ended, ids, totals, attention):
        log_probs, looked, state = step(tokens, state, memory)
        penalty = token_penalty(ops.shape(log_probs)[2], position, control, options.min_length)
        tokens = ops.where(ended, control.pad, ops.cast(choose(log_probs + penalty, position), "int32"))
        chosen = ops.take_along_axis(log_probs, tokens[:, :, None], axis=-1)[:, :, 0]
        here = ops.arange(length) == position  # -> [T]
        going = ops.logical_not(ended)[:, :, None, None]
        over = tokens == control.end
        if max_lengths is not None:
            over = ops.logical_or(over, (position + 1 >= max_lengths)[:, None])
        return (
            position + 1,
            tokens,
            state,
            ops.logical_or(ended, over),
            ops.where(here, tokens[:, :, None], ids),
            totals + ops.where(ended, 0.0, chosen),
            ops.where(ops.logical_and(here[:, None], going), looked[:, :, None, :], attention),
        )

    *_, ids, totals, attention = ops.while_loop(unfinished, advance, start)
    order = ops.argsort(-totals, axis=1)  # -> [B, N]
    ids, totals, attention = choose_beams((ids, totals, attention), order)
    return Hypotheses(ids, totals, totals, ops.sum(ops.cast(ids != control.pad, "int32"), axis=-1), attention)


def keep_probable(logits: Tensor, top_k: Scalar, top_p: Scalar) -> Tensor:
    """Forbids improbable tokens, those first that are not among the k most probable, then by probability p.

    Args:
      logits: float32 [..., V].
      top_k: how many to keep; 0 keeps all.
      top_p: of what `top_k` leaves, the smallest set of tokens that together reach this probability is kept, at least
        one; 1 keeps all.

    Returns:
      float32 [..., V], unchanged where kept.
    """
    size = ops.shape(logits)[-1]
    top_k, top_p = ops.cast(top_k, "int32"), ops.cast(top_p, "float32")
    rank = ops.arange(size)  # -> [V]
    kept = rank < ops.where(top_k > 0, top_k, size)
    descending = -ops.sort(-logits, axis=-1)  # -> [..., V]
    probabilities = ops.softmax(ops.where(kept, descending, FORBIDDEN), axis=-1)
    before = ops.cumsum(probabilities, axis=-1) - probabilities  # of all that is more probable
    # Rounding may bring the sum to 1 before the last token, so that 1 is a case of its own.
    within = ops.logical_or(before < top_p, ops.logical_or(rank == 0, top_p >= 1.0))
    least = ops.min(ops.where(ops.logical_and(kept, within), descending, float("inf")), axis=-1, keepdims=True)
    return ops.where(logits < least, FORBIDDEN, logits)
