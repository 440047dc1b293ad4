"""Greedy, sampled and beam-searched sequences. Decoding sees a step function, never a model."""

from ostinato.decoding.beam_search import beam_search
from ostinato.decoding.next_tokens import NextTokens, next_tokens
from ostinato.decoding.options import BeamOptions, ControlTokens, Hypotheses, SamplingOptions, StepFunction
from ostinato.decoding.sampling import greedy_search, sample
from ostinato.decoding.scoring import coverage_penalty, length_penalty, sequence_log_probs, sequence_scores

__all__ = [
    "BeamOptions",
    "ControlTokens",
    "Hypotheses",
    "NextTokens",
    "SamplingOptions",
    "StepFunction",
    "beam_search",
    "coverage_penalty",
    "greedy_search",
    "length_penalty",
    "next_tokens",
    "sample",
    "sequence_log_probs",
    "sequence_scores",
]
