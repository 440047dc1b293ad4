"""Scores of frames to a timeline: what flickers is smoothed, what is unsure is said to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ostinato.frames.timeline import Segment
from ostinato.sequences import smooth_labels, stretches_of
from ostinato_video.config import TimelineConfig

UNKNOWN = "unknown"  # in the place of a label in which the network has too little confidence
_LEAST_SCORE = 1e-9  # a score may be 0 in float32, and no label is impossible


def label_frames(frame_scores: np.ndarray, frame_rate: float, config: TimelineConfig) -> np.ndarray:
    """Chooses the labels of all frames together, int [F].

    Args:
      frame_scores: float [F, L], 0 to 1.
      frame_rate: frames/s.
      config: how smooth they are to be.
    """
    return smooth_labels(
        np.log(np.maximum(frame_scores, _LEAST_SCORE)),
        switch_cost=config.switch_cost,
        min_frames=max(1, round(config.min_seconds * frame_rate)),
    )


def segments_of(
    frame_scores: np.ndarray,
    times: np.ndarray,
    labels: Sequence[str],
    *,
    frame_rate: float,
    config: TimelineConfig,
    background: str | None = None,
) -> tuple[Segment, ...]:
    """Makes a timeline, without what is background.

    A segment ends where the next one starts; its confidence is the mean score of its label over its frames.

    Args:
      frame_scores: float [F, L], 0 to 1.
      times: float [F], seconds, ascending.
      labels: in the order of the scores.
      frame_rate: frames/s; the last frame lasts so long.
      config: how smooth it is to be, and below which confidence a segment is `unknown`.
      background: the label of frames in which nothing of interest happens, None where there is none.
    """
    segments = []
    for start, end, number in stretches_of(label_frames(frame_scores, frame_rate, config)):
        if labels[number] == background:
            continue
        confidence = float(frame_scores[start:end, number].mean())
        until = times[end] if end < len(times) else times[-1] + 1 / frame_rate
        label = confident_label(labels[number], confidence, config)
        segments.append(Segment(float(times[start]), float(until), label, confidence))
    return tuple(segments)


def confident_label(label: str, confidence: float, config: TimelineConfig) -> str:
    """Returns the label, or `unknown` where the confidence is below what the settings ask for."""
    return label if confidence >= config.abstain else UNKNOWN


class SteadyLabel:
    """Smooths the labels of a stream while it comes, where nothing can be known of later frames.

    A label changes once the frames speak more for another one, by `switch_cost` nats: the forward half of what
    `label_frames` does, at the same cost for every frame.

    Args:
      num_labels: number of labels L.
      switch_cost: nats; with 0 the label is that of each frame.
    """

    def __init__(self, num_labels: int, switch_cost: float) -> None:
        self.switch_cost = switch_cost
        self._best = np.zeros(num_labels)

    def __call__(self, scores: np.ndarray) -> int:
        """Returns the label of the newest frame, of scores float [L], 0 to 1."""
        best = np.maximum(self._best, self._best.max() - self.switch_cost) + np.log(np.maximum(scores, _LEAST_SCORE))
        self._best = best - best.max()  # only differences count, and sums would grow without end
        return int(self._best.argmax())
