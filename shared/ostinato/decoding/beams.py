"""Sequences side by side, and how the best of them are chosen."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
from keras import ops

from ostinato.decoding.options import Scalar, Tensor
from ostinato.gathering import take, take_each

# Far below any log-probability of a sequence, yet finite: differences of it are no NaN.
NEVER = -1e9


class Beams(NamedTuple):
    """Sequences side by side, best first. Finished ones have scores that are final; live ones grow."""

    ids: Tensor  # int32 [B, K, T]
    rows: Tensor  # int32 [B, K, T], which of the K live beams each token was added to
    log_probs: Tensor  # float32 [B, K]
    scores: Tensor  # float32 [B, K]


class Continuations(NamedTuple):
    """Tokens that may be added to beams, n for each input, the most probable first."""

    log_probs: Tensor  # float32 [B, n], of the beam with the token
    parents: Tensor  # int32 [B, n], to which of the live beams it is added
    tokens: Tensor  # int32 [B, n]


def best_continuations(live_log_probs: Tensor, log_probs: Tensor, penalty: Tensor, number: Scalar) -> Continuations:
    """Finds the most probable tokens to add to beams.

    Args:
      live_log_probs: float [B, K], of the beams.
      log_probs: float [B, K, V], of the tokens.
      penalty: float [V], added to the tokens' log-probabilities.
      number: how many are wanted, at most K * V.
    """
    batch, width, vocabulary_size = ops.shape(log_probs)
    totals = live_log_probs[:, :, None] + log_probs  # -> [B, K, V]
    # The best n continuations use no tokens but the n that do best on their best beam (P of them: n or the whole
    # vocabulary). A maximum over the beams thus rules out most tokens, which costs far less than to sort K * V numbers.
    by_token = ops.max(totals, axis=1) + penalty  # -> [B, V]
    num_promising = _smaller(number, vocabulary_size)
    _, promising = ops.top_k(by_token, num_promising)  # -> [B, P]
    totals = take_each(totals, promising, axis=2) + take(penalty, promising)[:, None, :]  # -> [B, K, P]
    best, flat = ops.top_k(ops.reshape(totals, (batch, width * num_promising)), number)  # -> [B, n]
    return Continuations(best, flat // num_promising, choose_beams(promising, flat % num_promising))


def _smaller(left: Scalar, right: Scalar) -> Scalar:
    """The smaller of two sizes: a number where both are numbers, for backends whose shapes cannot be tensors."""
    return min(left, right) if isinstance(left, int) and isinstance(right, int) else ops.minimum(left, right)


def force(
    continuations: Continuations, wanted: Tensor, live_log_probs: Tensor, log_probs: Tensor, pad: int
) -> Continuations:
    """Leaves nothing but the wanted token on the best beam, where one is wanted.

    Args:
      continuations: what would be added otherwise.
      wanted: int32 [B], padding where the choice is free.
      live_log_probs: float [B, K], of the beams.
      log_probs: float [B, K, V], of the tokens.
      pad: the padding token.
    """
    first = ops.arange(ops.shape(continuations.tokens)[1]) == 0  # -> [n]
    total = live_log_probs[:, 0] + choose_beams(log_probs[:, 0], wanted[:, None])[:, 0]  # -> [B]
    forced = Continuations(
        log_probs=ops.where(first, total[:, None], NEVER),
        parents=ops.zeros_like(continuations.parents),
        tokens=ops.where(first, wanted[:, None], pad),
    )
    return _where(wanted != pad, forced, continuations)


def hold(continuations: Continuations, full: Tensor, live_log_probs: Tensor, pad: int) -> Continuations:
    """Leaves the live beams as they are, with padding behind them, where they are `full` (bool [B])."""
    width = ops.shape(live_log_probs)[1]
    places = ops.arange(2 * width, dtype="int32")
    held = Continuations(
        log_probs=ops.where(places < width, ops.tile(live_log_probs, (1, 2)), NEVER),
        parents=ops.broadcast_to(places % width, ops.shape(continuations.parents)),
        tokens=ops.full_like(continuations.tokens, pad),
    )
    return _where(full, held, continuations)


def _where(condition: Tensor, left: Continuations, right: Continuations) -> Continuations:
    """Chooses for each input: condition bool [B]."""
    return keras.tree.map_structure(lambda a, b: ops.where(condition[:, None], a, b), left, right)


def collect(attention: Tensor, rows: Tensor) -> Tensor:
    """Chooses from attention [B, T, K, S] the row [B, N, T] of each token: -> [B, N, T, S]."""
    batch, length, width, num_places = ops.shape(attention)
    item = ops.arange(batch, dtype=rows.dtype)[:, None, None]  # -> [B, 1, 1]
    position = ops.arange(length, dtype=rows.dtype)  # -> [T]
    flat = (item * length + position) * width + rows  # -> [B, N, T]
    return take(ops.reshape(attention, (batch * length * width, num_places)), flat)


def keep_best(beams: Beams, width: Scalar) -> tuple[Beams, Tensor]:
    """Returns the beams of highest score, sorted, and their indices [B, width]."""
    scores, indices = ops.top_k(beams.scores, width)
    ids, rows, log_probs = choose_beams((beams.ids, beams.rows, beams.log_probs), indices)
    return Beams(ids, rows, log_probs, scores), indices


def prune(live: Beams, threshold: Scalar, num_kept: Scalar) -> Beams:
    """Gives up sorted beams that are too far below the best one of their input.

    Args:
      live: beams, best first.
      threshold: greatest difference of their log-probabilities, in nats; 0 keeps all.
      num_kept: so many of the best are kept in any case.
    """
    hopeless = live.log_probs < live.log_probs[:, :1] - threshold  # -> [B, K]
    others = ops.arange(ops.shape(hopeless)[1]) >= num_kept
    given_up = ops.logical_and(ops.logical_and(hopeless, others), threshold > 0)
    return live._replace(
        log_probs=ops.where(given_up, NEVER, live.log_probs), scores=ops.where(given_up, NEVER, live.scores)
    )


def join(left: Beams, right: Beams) -> Beams:
    """Puts the beams of each input beside each other: K and L of them -> K + L."""
    return keras.tree.map_structure(lambda a, b: ops.concatenate([a, b], axis=1), left, right)


def choose_beams(x: Any, indices: Tensor) -> Any:
    """Chooses beams: x, or each tensor of a nest x, [B, K, ...], indices int [B, N] -> [B, N, ...]."""
    return keras.tree.map_structure(lambda each: take_each(each, indices), x)
