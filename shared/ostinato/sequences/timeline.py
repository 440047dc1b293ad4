"""Labels of frames to stretches of frames: what flickers is smoothed, what is too short is absorbed."""

from __future__ import annotations

import heapq
import itertools
from typing import NamedTuple

import numpy as np


class Stretch(NamedTuple):
    """Frames from `start` up to, not including, `end` that have one label."""

    start: int
    end: int
    label: int


def smooth_labels(log_probs: np.ndarray, *, switch_cost: float = 0.0, min_frames: int = 1) -> np.ndarray:
    """Chooses the labels of all frames together.

    The path with the greatest sum of log-probabilities, less `switch_cost` wherever the label changes (Viterbi 1967,
    with one cost for all changes, so a frame costs L and not L * L steps). Stretches that are still too short then
    go, shortest first, to the neighbour that their frames find more probable.

    Args:
      log_probs: float [F, L].
      switch_cost: nats that a change of label costs; 0 takes each frame's most probable label.
      min_frames: stretches are at least so long, unless the whole is shorter.

    Returns:
      int [F].
    """
    if not len(log_probs):
        return np.zeros(0, np.int64)
    labels = _best_path(log_probs, switch_cost)
    return _absorb_short(log_probs, labels, min_frames) if min_frames > 1 else labels


def stretches_of(labels: np.ndarray) -> list[Stretch]:
    """Returns the stretches of equal labels int [F], in order."""
    if not len(labels):
        return []
    edges = np.flatnonzero(np.diff(labels)) + 1
    bounds = [0, *edges.tolist(), len(labels)]
    return [Stretch(start, end, int(labels[start])) for start, end in itertools.pairwise(bounds)]


def _best_path(log_probs: np.ndarray, switch_cost: float) -> np.ndarray:
    num_frames, num_labels = log_probs.shape
    best = log_probs[0].astype(np.float64)
    came_from = np.zeros((num_frames, num_labels), np.int32)
    stay = np.arange(num_labels)
    for frame in range(1, num_frames):
        favourite = int(np.argmax(best))
        switches = best[favourite] - switch_cost > best
        came_from[frame] = np.where(switches, favourite, stay)
        best = np.where(switches, best[favourite] - switch_cost, best) + log_probs[frame]
    labels = np.zeros(num_frames, np.int64)
    labels[-1] = int(np.argmax(best))
    for frame in range(num_frames - 1, 0, -1):
        labels[frame - 1] = came_from[frame, labels[frame]]
    return labels


def _absorb_short(log_probs: np.ndarray, labels: np.ndarray, min_frames: int) -> np.ndarray:
    sums = np.concatenate([np.zeros((1, log_probs.shape[1])), np.cumsum(log_probs, axis=0, dtype=np.float64)])
    chain = _Chain(stretches_of(labels))
    heap = [(stretch.end - stretch.start, start) for start, stretch in chain.stretches.items()]
    heapq.heapify(heap)
    while heap:
        length, start = heapq.heappop(heap)
        short = chain.stretches.get(start)
        if short is None or short.end - short.start != length:
            continue  # it has been joined with another since
        neighbours = chain.neighbours(short)
        if length >= min_frames or not neighbours:
            break
        evidence = sums[short.end] - sums[short.start]  # -> [L]
        winner = max(neighbours, key=lambda stretch: evidence[stretch.label])
        joined = chain.join([short, *(each for each in neighbours if each.label == winner.label)], winner.label)
        heapq.heappush(heap, (joined.end - joined.start, joined.start))
    smooth = np.empty(len(labels), np.int64)
    for stretch in chain.stretches.values():
        smooth[stretch.start : stretch.end] = stretch.label
    return smooth


class _Chain:
    """Stretches that are found by where they start and where they end, so that joining two costs the same for any F."""

    def __init__(self, stretches: list[Stretch]):
        self.stretches = {stretch.start: stretch for stretch in stretches}
        self._start_of_end = {stretch.end: stretch.start for stretch in stretches}

    def neighbours(self, stretch: Stretch) -> list[Stretch]:
        """Returns the one before, then the one after, where there are such."""
        starts = [self._start_of_end.get(stretch.start), stretch.end if stretch.end in self.stretches else None]
        return [self.stretches[start] for start in starts if start is not None]

    def join(self, parts: list[Stretch], label: int) -> Stretch:
        """Makes one stretch of several that lie side by side."""
        for part in parts:
            del self.stretches[part.start], self._start_of_end[part.end]
        joined = Stretch(min(part.start for part in parts), max(part.end for part in parts), label)
        self.stretches[joined.start], self._start_of_end[joined.end] = joined, joined.start
        return joined
