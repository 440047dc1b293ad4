"""How well gestures are told as events: in recordings by when they begin, in clips of one gesture by how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from ostinato.errors import DataError
from ostinato.sequences.store import UNLABELLED
from ostinato.sequences.timeline import stretches_of
from ostinato_gesture.results import Event

Events = list[tuple[float, str]]  # frame where each begins, and its label


@dataclasses.dataclass(frozen=True)
class ClipEventScores:
    """Events in clips that show one gesture each, read as streams; shares on the scale 0 to 100."""

    clips_told_once: float
    """share of the clips that give their own gesture once, and nothing else"""
    clips_told: float
    """share of the clips that give their own gesture at all"""
    clips_untold: float
    """share of the clips that give no event"""
    false_events: int
    """events of other gestures than that of the clip; where a clip shows no gesture, all events are"""
    num_gesture_clips: int
    """clips of a gesture, of which the shares are"""
    num_clips_told_once: int
    """how many clips `clips_told_once` is the share of; likewise the others"""
    num_clips_told: int
    num_clips_untold: int


def score_clip_events(
    found: Sequence[Iterable[str]], labels: Sequence[str], *, none: str | None
) -> ClipEventScores | None:
    """Scores the events of clips.

    Args:
      found: of each clip, the labels of its events.
      labels: of each clip, the label of the gesture that it shows.
      none: the label of clips without a gesture.

    Returns:
      None where no clip shows a gesture.

    Raises:
      DataError: different numbers of clips.
    """
    if len(found) != len(labels):
        raise DataError(f"there are events of {len(found)} clips and labels of {len(labels)}; give as many")
    pairs = [(list(events), label) for events, label in zip(found, labels, strict=True)]
    gestures = [(events, label) for events, label in pairs if label != none]
    if not gestures:
        return None
    once = sum(events == [label] for events, label in gestures)
    told = sum(label in events for events, label in gestures)
    untold = sum(not events for events, _ in gestures)
    return ClipEventScores(
        clips_told_once=100 * once / len(gestures),
        clips_told=100 * told / len(gestures),
        clips_untold=100 * untold / len(gestures),
        false_events=sum(event != label for events, label in pairs for event in events),
        num_gesture_clips=len(gestures),
        num_clips_told_once=once,
        num_clips_told=told,
        num_clips_untold=untold,
    )


def starts_of(events: Iterable[Event], frame_rate: float) -> Events:
    """Returns the frame where each event begins, and its label."""
    return [(event.start * frame_rate, event.label) for event in events]


def true_events(frame_labels: np.ndarray, labels: Sequence[str], none: str | None) -> Events:
    """Returns where the gestures of a recording begin, from the labels of its frames int [F]."""
    return [
        (float(stretch.start), labels[stretch.label])
        for stretch in stretches_of(frame_labels)
        if stretch.label != UNLABELLED and labels[stretch.label] != none
    ]
