"""What each application reports, with a signature line that says how it was counted.

`ostinato.metrics.confusion_picture` draws with Pillow and is therefore imported by its own name, where it is needed.
"""

from ostinato.metrics.abstaining import AbstainThreshold, abstain_threshold
from ostinato.metrics.bootstrap import bootstrap_interval
from ostinato.metrics.calibration import CalibrationScores, ReliabilityBin, reliability_table, score_calibration
from ostinato.metrics.captions import (
    CaptionScores,
    QuickCaptionScores,
    cider_d_each,
    quick_caption_scores,
    score_captions,
)
from ostinato.metrics.cider import CiderReward
from ostinato.metrics.classes import ClassScores, class_table, score_classes
from ostinato.metrics.clips import ClipScores, score_clips, wilson_interval
from ostinato.metrics.comparison import ScoreComparison, TranslationComparison, compare_translations
from ostinato.metrics.confusion import Confusion, confusion_matrix, confusion_table, worst_confusions
from ostinato.metrics.events import START_TOLERANCE, EventScores, match_events, score_event_classes, score_events
from ostinato.metrics.frames import FrameScores, frame_scores, score_frames
from ostinato.metrics.segments import OVERLAPS, SegmentScores, score_segments
from ostinato.metrics.temperature import fit_temperature, negative_log_likelihood, tempered_softmax
from ostinato.metrics.tokens import caption_tokens
from ostinato.metrics.translations import (
    TOKENISATIONS,
    TranslationScores,
    bleu_each,
    chrf_each,
    quick_bleu,
    score_translations,
)

__all__ = [
    "OVERLAPS",
    "START_TOLERANCE",
    "TOKENISATIONS",
    "AbstainThreshold",
    "CalibrationScores",
    "CaptionScores",
    "CiderReward",
    "ClassScores",
    "ClipScores",
    "Confusion",
    "EventScores",
    "FrameScores",
    "QuickCaptionScores",
    "ReliabilityBin",
    "ScoreComparison",
    "SegmentScores",
    "TranslationComparison",
    "TranslationScores",
    "abstain_threshold",
    "bleu_each",
    "bootstrap_interval",
    "caption_tokens",
    "chrf_each",
    "cider_d_each",
    "class_table",
    "compare_translations",
    "confusion_matrix",
    "confusion_table",
    "fit_temperature",
    "frame_scores",
    "match_events",
    "negative_log_likelihood",
    "quick_bleu",
    "quick_caption_scores",
    "reliability_table",
    "score_calibration",
    "score_captions",
    "score_classes",
    "score_clips",
    "score_event_classes",
    "score_events",
    "score_frames",
    "score_segments",
    "score_translations",
    "tempered_softmax",
    "wilson_interval",
    "worst_confusions",
]
