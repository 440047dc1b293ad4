"""What a translation system reports: BLEU, chrF and TER as sacreBLEU counts them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from ostinato.errors import ConfigError, DataError
from ostinato.metrics.scorers import import_scorer

DEFAULT_TOKENISATION = "13a"
# Those of sacreBLEU that need no further package and fetch nothing.
TOKENISATIONS = (DEFAULT_TOKENISATION, "intl", "char", "zh", "none")


@dataclasses.dataclass(frozen=True)
class TranslationScores:
    """Scores of a set of translations on the scale 0 to 100; higher is better but for TER, which may exceed 100."""

    bleu: float
    chrf: float  # chrF2: of characters alone
    ter: float
    num_examples: int
    bleu_signature: str  # settings and version of sacreBLEU: scores compare only where it is the same
    chrf_signature: str
    ter_signature: str

    def to_dict(self) -> dict[str, float | int | str]:
        """The fields by name, as `evaluate --format json` prints them."""
        return dataclasses.asdict(self)


def score_translations(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    lowercase: bool = False,
    tokenisation: str = DEFAULT_TOKENISATION,
) -> TranslationScores:
    """Scores one translation a sentence against its reference.

    Args:
      hypotheses: N translations.
      references: N translations by people.
      lowercase: whether BLEU and chrF take upper and lower case for the same; TER always does, as is its default.
      tokenisation: how BLEU finds words, one of `TOKENISATIONS`; "none" for texts whose words already have spaces
        between.

    Returns:
      the scores of the whole set.

    Raises:
      DataError: no examples, or different lengths.
      ConfigError: an unknown tokenisation.
      UserError: sacreBLEU is not installed.

    Reference: Post 2018 (sacreBLEU); Papineni et al. 2002 (BLEU); Popović 2015 (chrF); Snover et al. 2006 (TER).
    """
    check_translations(hypotheses, references)
    scored = {}
    for name, metric in translation_metrics(lowercase, tokenisation).items():
        score = metric.corpus_score(list(hypotheses), [list(references)]).score
        scored[name] = score if name == "ter" else min(score, 100.0)  # a perfect one is 100.00000000000004
        scored[f"{name}_signature"] = str(metric.get_signature())
    return TranslationScores(num_examples=len(hypotheses), **scored)


def quick_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """BLEU alone, as `score_translations` has it by default, with the same errors; for validation during training."""
    check_translations(hypotheses, references)
    return min(_bleu(False, DEFAULT_TOKENISATION).corpus_score(list(hypotheses), [list(references)]).score, 100.0)


def bleu_each(hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    """Scores each sentence alone by BLEU, which where it is short counts the orders of n-grams that it has.

    With sacreBLEU's settings for sentences and the errors of `score_translations`.

    Reference: Chen and Cherry 2014 (smoothing).
    """
    return _each(_bleu(False, DEFAULT_TOKENISATION, effective_order=True), hypotheses, references)


def chrf_each(hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    """Scores each sentence alone by chrF, to find the worst; with the errors of `score_translations`."""
    return _each(import_scorer("sacrebleu.metrics").CHRF(), hypotheses, references)


def translation_metrics(lowercase: bool, tokenisation: str) -> dict[str, Any]:
    """Makes sacreBLEU's metrics under the names of the fields of `TranslationScores`; raises what that does."""
    metrics = import_scorer("sacrebleu.metrics")
    return {"bleu": _bleu(lowercase, tokenisation), "chrf": metrics.CHRF(lowercase=lowercase), "ter": metrics.TER()}


def check_translations(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Raises DataError where there is nothing to score, or not one reference for each translation."""
    if isinstance(hypotheses, str) or isinstance(references, str):
        raise DataError("Translations and references are lists of sentences; one string was given.")
    if len(hypotheses) != len(references):
        raise DataError(f"There are {len(hypotheses)} translations for {len(references)} references; give as many.")
    if not references:
        raise DataError("There are no translations to score; give at least one with its reference.")


def _each(metric: Any, hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    check_translations(hypotheses, references)
    pairs = zip(hypotheses, ([each] for each in references), strict=True)
    return [metric.sentence_score(*pair).score for pair in pairs]


def _bleu(lowercase: bool, tokenisation: str, **settings: Any) -> Any:
    if tokenisation not in TOKENISATIONS:
        raise ConfigError(
            f"There is no tokenisation {tokenisation!r} for BLEU; choose from {', '.join(TOKENISATIONS)}."
        )
    # It would warn of texts that look tokenised; `force` only silences that.
    return import_scorer("sacrebleu.metrics").BLEU(lowercase=lowercase, tokenize=tokenisation, force=True, **settings)
