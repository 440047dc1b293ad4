"""Whether one translation system is better than another, or chance made it look so."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from ostinato.metrics.scorers import import_scorer
from ostinato.metrics.translations import DEFAULT_TOKENISATION, check_translations, translation_metrics


@dataclasses.dataclass(frozen=True)
class ScoreComparison:
    """One score of two systems A and B. An interval is that of 95 % of the resampled test sets."""

    score_a: float
    interval_a: tuple[float, float]
    score_b: float
    interval_b: tuple[float, float]
    p_value: float  # how often chance alone would show such a difference, as sacreBLEU estimates it; 1 if there is none
    signature: str  # settings, seed and version of sacreBLEU


@dataclasses.dataclass(frozen=True)
class TranslationComparison:
    """Scores of two systems on the same sentences, on the scale of `TranslationScores`."""

    bleu: ScoreComparison
    chrf: ScoreComparison
    ter: ScoreComparison
    num_examples: int

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, as `evaluate --format json` prints them."""
        return dataclasses.asdict(self)


def compare_translations(
    system_a: Sequence[str],
    system_b: Sequence[str],
    references: Sequence[str],
    *,
    lowercase: bool = False,
    tokenisation: str = DEFAULT_TOKENISATION,
    num_samples: int = 1000,
) -> TranslationComparison:
    """Compares two systems by paired bootstrap resampling: both are scored on the same randomly drawn test sets.

    Args:
      system_a: N translations.
      system_b: N translations of the same sentences.
      references: N translations by people.
      lowercase: see `score_translations`.
      tokenisation: see `score_translations`.
      num_samples: how many test sets of N sentences are drawn, with replacement.

    Returns:
      scores, intervals and p-values as sacreBLEU's `--paired-bs` reports them with A as its baseline. The seed is
      sacreBLEU's, so that the same arguments give the same values.

    Raises:
      DataError, ConfigError, UserError: as `score_translations`.

    Reference: Koehn 2004, section 4.
    """
    check_translations(system_a, references)
    check_translations(system_b, references)
    metrics = translation_metrics(lowercase, tokenisation)
    # The test calls metrics by names of its own, in the order given.
    signatures, scores = import_scorer("sacrebleu.significance").PairedTest(
        [("A", list(system_a)), ("B", list(system_b))],
        metrics,
        [list(references)],
        test_type="bs",
        n_samples=num_samples,
    )()
    compared = {}
    for name, (their_name, signature) in zip(metrics, signatures.items(), strict=True):
        a, b = scores[their_name]
        compared[name] = _comparison(a, b, str(signature))
    return TranslationComparison(num_examples=len(references), **compared)


def _comparison(a: Any, b: Any, signature: str) -> ScoreComparison:
    return ScoreComparison(
        score_a=float(a.score),
        interval_a=_interval(a),
        score_b=float(b.score),
        interval_b=_interval(b),
        # sacreBLEU would say 1 / (samples + 1) of two systems that write the same.
        p_value=float(b.p_value) if a.score != b.score else 1.0,
        signature=signature,
    )


def _interval(result: Any) -> tuple[float, float]:
    """Of a result with its mean and half the width of the interval."""
    return float(result.mean - result.ci), float(result.mean + result.ci)
