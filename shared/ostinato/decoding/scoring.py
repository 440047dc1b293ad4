"""What a sequence is worth, whoever wrote it."""

from __future__ import annotations

from keras import ops

from ostinato.decoding.options import BeamOptions, Scalar, Tensor

LEAST_COVERAGE = 1e-9  # of a place that was not looked at; the logarithm of 0 would make every other place meaningless


def length_penalty(length: Tensor, exponent: Scalar) -> Tensor:
    """Returns what a log-probability is divided by, float32: ((5 + length) / 6) ** exponent.

    Reference: Wu et al. 2016, equation 14. The length counts the end token.
    """
    return ((5.0 + ops.cast(length, "float32")) / 6.0) ** ops.cast(exponent, "float32")


def coverage_penalty(coverage: Tensor, weight: Scalar, places_mask: Tensor | None = None) -> Tensor:
    """Returns what is added to a score for places that were looked at with less than the weight of a whole token.

    Args:
      coverage: float [..., S], the attention summed over the tokens, that of the end token included.
      weight: beta; 0 gives 0.
      places_mask: bool, broadcast to [..., S], True = keep. Other places, such as padding, do not count.

    Returns:
      float32 [...], at most 0: weight * the sum of log(min(coverage, 1)).

    Reference: Wu et al. 2016, equation 14.
    """
    left_out = ops.log(ops.clip(ops.cast(coverage, "float32"), LEAST_COVERAGE, 1.0))  # -> [..., S]
    if places_mask is not None:
        left_out = ops.where(places_mask, left_out, 0.0)
    return ops.cast(weight, "float32") * ops.sum(left_out, axis=-1)


def sequence_log_probs(logits: Tensor, labels: Tensor, pad: int = 0) -> Tensor:
    """Returns how probable given sequences are, from what a network says under teacher forcing.

    Args:
      logits: float [B, K, T, V] of each token, given those before it.
      labels: int [B, K, T], the tokens with their end token, then padding.
      pad: the padding token; it does not count.

    Returns:
      float32 [B, K], log-probabilities of whole sequences, as in `Hypotheses`.
    """
    logits = ops.cast(logits, "float32")
    chosen = ops.take_along_axis(logits, labels[..., None], axis=-1)[..., 0]  # -> [B, K, T]
    token_log_probs = chosen - ops.logsumexp(logits, axis=-1)
    return ops.sum(ops.where(labels != pad, token_log_probs, 0.0), axis=-1)


def sequence_scores(
    log_probs: Tensor,
    lengths: Tensor,
    options: BeamOptions,
    *,
    coverage: Tensor | None = None,
    places_mask: Tensor | None = None,
) -> Tensor:
    """Returns the scores by which beam search would rank sequences.

    Args:
      log_probs: float [B, N], as from `sequence_log_probs`.
      lengths: int [B, N], tokens in each, the end token included.
      options: the two penalties count.
      coverage: float [B, N, S], the attention summed over the tokens; only needed where there is a coverage penalty.
      places_mask: bool [B, S], True = keep, see `coverage_penalty`.

    Returns:
      float32 [B, N]: log-probability / length penalty + coverage penalty.
    """
    scores = log_probs / length_penalty(lengths, options.length_penalty)
    if coverage is None:
        return scores
    mask = None if places_mask is None else places_mask[:, None]
    return scores + coverage_penalty(coverage, options.coverage_penalty, mask)
