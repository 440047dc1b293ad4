"""What each application reports, with a signature line that says how it was counted."""

from ostinato.metrics.bootstrap import bootstrap_interval
from ostinato.metrics.captions import (
    CaptionScores,
    QuickCaptionScores,
    cider_d_each,
    quick_caption_scores,
    score_captions,
)
from ostinato.metrics.cider import CiderReward
from ostinato.metrics.comparison import ScoreComparison, TranslationComparison, compare_translations
from ostinato.metrics.tokens import caption_tokens
from ostinato.metrics.translations import TOKENISATIONS, TranslationScores, chrf_each, quick_bleu, score_translations

__all__ = [
    "TOKENISATIONS",
    "CaptionScores",
    "CiderReward",
    "QuickCaptionScores",
    "ScoreComparison",
    "TranslationComparison",
    "TranslationScores",
    "bootstrap_interval",
    "caption_tokens",
    "chrf_each",
    "cider_d_each",
    "compare_translations",
    "quick_bleu",
    "quick_caption_scores",
    "score_captions",
    "score_translations",
]
