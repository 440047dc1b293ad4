"""What a user may ask of decoding, and what comes back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

Tensor = Any  # a tensor of whichever Keras backend runs
Scalar = Any  # a Python number, or a scalar tensor where a graph leaves the choice to its caller

# (token_ids int [B, K], state, memory) -> (log_probs float32 [B, K, V], attention float32 [B, K, S], next state);
# the state is a nest of tensors [B, K, ...]. A beam search that inputs may leave hands it a fourth argument, going
# bool [B, K], at least one of them true: of other sequences it may answer anything that is finite.
StepFunction = Callable[..., tuple[Tensor, Tensor, Any]]


@dataclasses.dataclass(frozen=True)
class ControlTokens:
    """The ids that say where a sequence begins and ends, and what fills the places behind its end."""

    start: int
    end: int
    pad: int = 0
    banned: tuple[int, ...] = ()
    """ids that are never written, such as that of unknown pieces"""

    def __post_init__(self):
        if self.end in (self.start, self.pad, *self.banned):
            raise ValueError(f"sequences could never end: the end token {self.end} is another control token too")


@dataclasses.dataclass(frozen=True)
class BeamOptions:
    """How beam search looks for the best sequences. Fields may be scalar tensors where a graph takes them as inputs."""

    width: Scalar = 5
    """hypotheses kept alive for each input (K)"""
    num_results: Scalar = 1
    """best sequences returned for each input, at most the width"""
    length_penalty: Scalar = 0.6
    """exponent of Wu et al. 2016, equation 14: 0 favours short sequences, 1 nearly none"""
    coverage_penalty: Scalar = 0.0
    """weight of what the attention left out (beta of Wu et al. 2016, equation 14), at least 0, which costs nothing"""
    min_length: Scalar = 1
    """least number of tokens before the end token"""
    max_length: Scalar = 30
    """greatest number of tokens, the end token included (T)"""
    no_repeat_ngram: Scalar = 0
    """n-grams of this many tokens are written once at most (Paulus et al. 2018, section 2.5); 0 allows repeats"""
    patience: Scalar = 0.0
    """the search for an input ends as soon as this times its beams have finished (Kasai et al. 2024), at most 1; 0
    searches until no beam can overtake those that have finished"""
    pruning: Scalar = 0.0
    """live beams whose log-probability is so far below that of the best one of their input, in nats, are given up, the
    best `num_results` excepted (Freitag and Al-Onaizan 2017, section 3, relative threshold); 0 keeps all"""

    def __post_init__(self):
        if isinstance(self.coverage_penalty, int | float) and self.coverage_penalty < 0:
            raise ValueError(
                f"a coverage penalty is at least 0, as the search relies on; it is {self.coverage_penalty}"
            )


@dataclasses.dataclass(frozen=True)
class SamplingOptions:
    """How sequences are drawn at random. Fields may be scalar tensors where a graph takes them as inputs."""

    num_results: Scalar = 1
    """sequences drawn for each input (K)"""
    temperature: Scalar = 1.0
    """below 1 sharpens the distribution, above 1 flattens it; 0 takes the most probable token"""
    top_k: Scalar = 0
    """draws among the k most probable tokens only (Fan et al. 2018); 0 among all"""
    top_p: Scalar = 1.0
    """draws among the most probable tokens that together reach this probability (Holtzman et al. 2020)"""
    min_length: Scalar = 1
    """least number of tokens before the end token"""
    max_length: Scalar = 30
    """greatest number of tokens, the end token included (T)"""


class Hypotheses(NamedTuple):
    """Written sequences, best first; unfinished ones stand behind all finished ones. N is the number asked for.

    Attributes:
      ids: int32 [B, N, T], without the start token, with the end token (if it was reached), then padding.
      scores: float32 [B, N], see `sequence_scores`; of samples, the log-probability.
      log_probs: float32 [B, N], log-probability of the whole sequence, its end token included.
      lengths: int32 [B, N], tokens in each, its end token included.
      attention: float32 [B, N, T, S], where each token looked; 0 behind the end.
    """

    ids: Tensor
    scores: Tensor
    log_probs: Tensor
    lengths: Tensor
    attention: Tensor
