"""Beam search over any step function: it sees tokens, states and log-probabilities, never a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from ostinato.decoding.beams import (
    NEVER,
    Beams,
    best_continuations,
    choose_beams,
    collect,
    force,
    hold,
    join,
    keep_best,
    prune,
)
from ostinato.decoding.options import BeamOptions, ControlTokens, Hypotheses, Scalar, StepFunction, Tensor
from ostinato.decoding.rounds import search_by_rounds, search_together
from ostinato.decoding.rules import first_tokens, repeated_ngram_penalty, token_penalty
from ostinato.decoding.scoring import coverage_penalty, length_penalty, sequence_scores


class _Search(NamedTuple):
    """What one iteration hands to the next."""

    position: Tensor  # int32 [], tokens written so far
    tokens: Tensor  # int32 [B, K], the last token of each live beam
    state: Any  # nest of [B, K, ...]; [B, 1, ...] before the first token
    live: Beams
    finished: Beams
    attention: Tensor  # float32 [B, T, K, S], of the live beams at each position
    coverage: Any  # float32 [B, K, S], the sum of the attention of each live beam; () where it does not count


class _Inputs(NamedTuple):
    """What the inputs of a batch need not have in common; None where they do."""

    prefix: Tensor | None  # int32 [B, P + 1], with padding behind the longest
    max_lengths: Tensor | None  # int32 [B]
    places_mask: Tensor | None  # bool [B, S]


def beam_search(
    step: StepFunction,
    state: Any,
    memory: Any,
    options: BeamOptions,
    *,
    control: ControlTokens,
    num_places: Scalar,
    start_tokens: Tensor | None = None,
    prefix: Tensor | None = None,
    max_lengths: Tensor | None = None,
    places_mask: Tensor | None = None,
    choose_inputs: Callable[[Any, Tensor], Any] | None = None,
) -> Hypotheses:
    """Finds the sequences of highest score, keeping the best `options.width` at every length.

    At each step the 2K best continuations are taken. Those of the best K that end are finished, and the best K that
    do not end live on, but for those that are hopeless (`BeamOptions.pruning`). Finished sequences compete by score,
    live ones by log-probability. The search stops at the greatest length, as soon as no live beam can still overtake
    the worst of the results, or as soon as its patience is at an end. Where fewer sequences finished than were asked
    for, the best unfinished ones fill up; where there are not even so many sequences, empty ones of log-probability
    -1e9 do.

    Args:
      step: the step function, see `StepFunction`. It is called with tokens [B, 1] for the first token, when all beams
        are equal, and with tokens [B, K] from then on.
      state: nest of tensors [B, 1, ...], the state before the first token.
      memory: whatever the step function looks at; passed through, never repeated.
      options: see `BeamOptions`.
      control: start, end and padding tokens.
      num_places: S, how many places the step function's attention covers.
      start_tokens: int [B], where inputs begin with other tokens than `control.start`.
      prefix: int [B, P], the tokens that every sequence of an input begins with, without the start token, then padding;
        each input has its own number of them, which may be 0. They count in log-probabilities and lengths, but no rule
        forbids them. A prefix that has the end token is a whole sequence: it comes back alone.
      max_lengths: int [B], the greatest length of each input, where it is below `options.max_length`; at least 1.
      places_mask: bool [B, S], True = keep: which places an input really has, so that the coverage penalty asks for no
        others.
      choose_inputs: (memory, rows int32 [n]) -> the memory of these inputs alone, as `Memory.choose`. Given it, inputs
        leave when they are done, and do not wait for the longest, see `search_by_rounds`; and the step function is
        told which beams are `going`. Needs a backend whose sizes may depend on values, such as TensorFlow.

    Returns:
      `Hypotheses` with N = `options.num_results`, finished ones first, each kind sorted by score. The loop's tensors
      have the fixed size `options.max_length`. Each input finds what it finds alone.

    Reference: Sutskever et al. 2014, section 3.2; the split into live and finished beams follows Vaswani et al. 2017.
    """
    batch = ops.shape(keras.tree.flatten(state)[0])[0]
    width, length = options.width, options.max_length
    inputs = _Inputs(
        # The last column, all padding, is read when every prefix is over.
        prefix=None
        if prefix is None
        else ops.pad(ops.cast(prefix, "int32"), ((0, 0), (0, 1)), "constant", control.pad),
        max_lengths=None if max_lengths is None else ops.minimum(ops.cast(max_lengths, "int32"), length),
        places_mask=places_mask,
    )
    nothing = Beams(
        ids=ops.full((batch, width, length), control.pad, dtype="int32"),
        rows=ops.zeros((batch, width, length), dtype="int32"),
        log_probs=ops.full((batch, width), NEVER, dtype="float32"),
        scores=ops.full((batch, width), NEVER, dtype="float32"),
    )
    # One beam begins: K equal ones would find the same sequence K times.
    first = ops.where(ops.arange(width) == 0, 0.0, nothing.log_probs)
    start = _Search(
        position=ops.convert_to_tensor(0, "int32"),
        tokens=first_tokens(batch, width, control, start_tokens),
        state=state,
        live=nothing._replace(log_probs=first, scores=first),
        finished=nothing,
        attention=ops.zeros((batch, length, width, num_places), dtype="float32"),
        coverage=ops.zeros((batch, width, num_places), dtype="float32") if _is_used(options.coverage_penalty) else (),
    )

    def advance(search: _Search, inputs: _Inputs, memory: Any) -> _Search:
        told = () if choose_inputs is None else (_going(search, promising(search, inputs)),)
        answer = step(search.tokens, search.state, memory, *told)
        return _advance(search, answer, options, control, inputs)

    def promising(search: _Search, inputs: _Inputs) -> Tensor:
        return _can_improve(search, options, inputs)

    answer = step(start.tokens[:, :1], state, memory)
    answer = keras.tree.map_structure(lambda x: ops.repeat(x, width, axis=1), answer)
    search = _advance(start, answer, options, control, inputs)
    if choose_inputs is None:
        search = search_together(promising, advance, search, inputs, memory)
    else:
        search = search_by_rounds(promising, advance, search, inputs, memory, choose_inputs)
    return _results(search, options, control, inputs)


def _places_at(position: Tensor, x: Tensor) -> Tensor:
    """Returns the indices of a position in each input of x [B, ...], int32 [B, 2]."""
    rows = ops.arange(ops.shape(x)[0], dtype="int32")
    return ops.stack([rows, ops.broadcast_to(position, ops.shape(rows))], axis=1)


def _is_used(setting: Scalar) -> bool:
    """False if a setting that 0 turns off is known to be 0 when the graph is made."""
    return not (isinstance(setting, int | float) and setting == 0)


def _can_improve(search: _Search, options: BeamOptions, inputs: _Inputs) -> Tensor:
    """Tells of which inputs some live beam has room, and could still beat the worst result, bool [B]."""
    greatest = options.max_length if inputs.max_lengths is None else inputs.max_lengths  # [] or [B]
    # A log-probability only falls; the most favourable length is the greatest for positive exponents, else the next;
    # the most favourable coverage adds 0.
    favourable = ops.where(
        ops.cast(options.length_penalty, "float32") > 0,
        length_penalty(greatest, options.length_penalty),
        length_penalty(search.position + 1, options.length_penalty),
    )
    best = search.live.log_probs[:, 0]  # -> [B]
    worst = search.finished.scores[:, options.num_results - 1]  # -> [B]
    promising = ops.logical_and(best > NEVER / 2, best / favourable > worst)
    if _is_used(options.patience):
        promising = ops.logical_and(promising, ops.logical_not(_is_settled(search, options)))
    return ops.logical_and(search.position < greatest, promising)


def _going(search: _Search, promising: Tensor) -> Tensor:
    """Tells which beams may still lead to a result, bool [B, K]: what is said of the others counts no more."""
    return ops.logical_and(search.live.log_probs > NEVER / 2, promising[:, None])


def _is_settled(search: _Search, options: BeamOptions) -> Tensor:
    """Tells of which inputs enough sequences have finished, bool [B]; what they found changes no more."""
    num_finished = ops.sum(ops.cast(search.finished.scores > NEVER, "int32"), axis=1)  # -> [B]
    patience, width = ops.cast(options.patience, "float32"), ops.cast(options.width, "float32")
    enough = ops.maximum(ops.cast(ops.ceil(patience * width), "int32"), ops.cast(options.num_results, "int32"))
    return ops.logical_and(patience > 0, num_finished >= enough)


def _advance(search: _Search, answer: Any, options: BeamOptions, control: ControlTokens, inputs: _Inputs) -> _Search:
    log_probs, attention, state = answer  # [B, K, V], [B, K, S], nest of [B, K, ...]: what the step function says
    best, parents, tokens = _continue(search, log_probs, options, control, inputs)  # -> [B, 2K] each

    here = ops.arange(options.max_length) == search.position  # -> [T]
    ids, rows = choose_beams((search.live.ids, search.live.rows), parents)
    candidates = Beams(
        ids=ops.where(here, tokens[:, :, None], ids),
        rows=ops.where(here, parents[:, :, None], rows),
        log_probs=best,
        scores=best,
    )  # [B, 2K]
    ended = tokens == control.end
    live, kept = keep_best(candidates._replace(scores=ops.where(ended, 2 * NEVER, best)), options.width)
    if _is_used(options.pruning):
        live = prune(live, options.pruning, options.num_results)

    among_best = ops.arange(2 * options.width) < options.width
    complete = ops.logical_and(ops.logical_and(ended, among_best), best > NEVER / 2)
    if _is_used(options.patience):
        complete = ops.logical_and(complete, ops.logical_not(_is_settled(search, options))[:, None])
    scores = best / length_penalty(search.position + 1, options.length_penalty)
    origins, last_tokens = choose_beams((parents, tokens), kept)  # -> [B, K] each
    coverage = search.coverage
    if _is_used(options.coverage_penalty):
        coverage += attention  # -> [B, K, S]
        mask = None if inputs.places_mask is None else inputs.places_mask[:, None]
        penalty = coverage_penalty(coverage, options.coverage_penalty, mask)  # -> [B, K]
        scores += choose_beams(penalty, parents)
        coverage = choose_beams(coverage, origins)
    newly_finished = candidates._replace(scores=ops.where(complete, scores, 2 * NEVER))
    finished, _ = keep_best(join(search.finished, newly_finished), options.width)
    return _Search(
        position=search.position + 1,
        tokens=last_tokens,
        state=choose_beams(state, origins),
        live=live,
        finished=finished,
        attention=ops.scatter_update(search.attention, _places_at(search.position, attention), attention),
        coverage=coverage,
    )


def _continue(search: _Search, log_probs: Tensor, options: BeamOptions, control: ControlTokens, inputs: _Inputs):
    """Returns the 2K `Continuations` of each input: the best, or what its prefix or its greatest length leaves."""
    live, position = search.live, search.position
    vocabulary_size = ops.shape(log_probs)[2]
    penalty = token_penalty(vocabulary_size, position, control, options.min_length)  # -> [V]
    allowed = _without_repeats(log_probs, live.ids, position, options.no_repeat_ngram)
    continuations = best_continuations(live.log_probs, allowed, penalty, 2 * options.width)
    if inputs.prefix is not None:
        column = ops.minimum(position, ops.shape(inputs.prefix)[1] - 1)
        wanted = ops.take(inputs.prefix, column, axis=1)  # -> [B]
        continuations = force(continuations, wanted, live.log_probs, log_probs, control.pad)
    if inputs.max_lengths is not None:
        continuations = hold(continuations, position >= inputs.max_lengths, live.log_probs, control.pad)
    return continuations


def _without_repeats(log_probs: Tensor, ids: Tensor, position: Tensor, n: Scalar) -> Tensor:
    """Makes impossible what would repeat an n-gram, where n is not 0; a graph decides it each time it is called."""

    def penalised() -> Tensor:
        return log_probs + repeated_ngram_penalty(ids, position, n, ops.shape(log_probs)[2])

    if isinstance(n, int):
        return penalised() if n else log_probs
    return ops.cond(n > 0, penalised, lambda: log_probs)


def _results(search: _Search, options: BeamOptions, control: ControlTokens, inputs: _Inputs) -> Hypotheses:
    """Puts finished sequences before unfinished ones, which only fill up where there are too few."""
    num_finished = ops.sum(ops.cast(search.finished.scores > NEVER, "int32"), axis=1, keepdims=True)  # -> [B, 1]
    rank = ops.arange(options.num_results, dtype="int32")[None, :]  # -> [1, N]
    order = ops.where(rank < num_finished, rank, options.width + rank - num_finished)  # -> [B, N]
    beams = choose_beams(join(search.finished, search.live), order)
    possible = beams.log_probs > NEVER / 2
    ids = ops.where(possible[:, :, None], beams.ids, control.pad)
    log_probs = ops.where(possible, beams.log_probs, NEVER)
    written = ids != control.pad  # -> [B, N, T]
    lengths = ops.sum(ops.cast(written, "int32"), axis=-1)
    attention = ops.where(written[..., None], collect(search.attention, beams.rows), 0.0)
    coverage = ops.sum(attention, axis=2) if _is_used(options.coverage_penalty) else None
    scores = sequence_scores(log_probs, lengths, options, coverage=coverage, places_mask=inputs.places_mask)
    return Hypotheses(ids, scores, log_probs, lengths, attention)
