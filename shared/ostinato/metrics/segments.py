"""How well the segments of a video are found: F1 at three overlaps, and the order of the labels."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from ostinato.errors import DataError
from ostinato.metrics.classes import f1_of_counts

OVERLAPS = (10, 25, 50)  # least intersection over union, per cent, Lea et al. 2017


@dataclasses.dataclass(frozen=True)
class SegmentScores:
    """Scores of segments on the scale 0 to 100."""

    segment_f1_10: float
    segment_f1_25: float
    segment_f1_50: float
    edit_score: float
    num_examples: int  # videos
    signature: str

    def to_dict(self) -> dict[str, float | int | str]:
        """The fields by name, as `evaluate --format json` prints them."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class _Segments:
    """The runs of equal labels in a video, S segments in order of time."""

    labels: np.ndarray  # [S]
    starts: np.ndarray  # int [S], first frame
    ends: np.ndarray  # int [S], one past the last frame


def score_segments(
    predicted: Sequence[np.ndarray],
    true: Sequence[np.ndarray],
    masks: Sequence[np.ndarray] | None = None,
    *,
    background: int | None = None,
) -> SegmentScores:
    """Scores the segments of videos, given the label of each frame.

    A segment is a longest run of frames with one label. As in the evaluation of MS-TCN:

    - F1: each predicted segment takes the true segment of its label that it overlaps best (by intersection over
      union). It is right where that overlap reaches the threshold and no earlier one has taken the same; otherwise it
      is wrong, whatever else it overlaps. The counts of all videos are added up, then made F1.
    - Edit score: 1 - Levenshtein distance between the two orders of labels / length of the longer one, as the mean
      over videos. It does not look at time.

    Unlike there, the last segment of a video ends with the last frame, not one before it.

    Args:
      predicted: of each video, int [F].
      true: of each video, int [F].
      masks: of each video, bool [F], True where a frame counts. Other frames belong to no segment and cut those that
        reach over them.
      background: the label of frames in which nothing happens, which then are no segments; None takes every label for
        one that matters.

    Returns:
      the scores; 100 of each where there is no segment and none is predicted.

    Raises:
      DataError: no videos, or different numbers of videos or frames.

    Reference: Lea et al. 2017 (F1); Lea et al. 2016 (edit score); Abu Farha and Gall 2019 (MS-TCN).
    """
    if not len(predicted) == len(true) == (len(true) if masks is None else len(masks)):
        raise DataError(f"There are labels predicted for {len(predicted)} videos of {len(true)}; give as many.")
    if not len(true):
        raise DataError("There are no videos to score; give at least one.")
    num_right, num_predicted, num_true, edit_scores = dict.fromkeys(OVERLAPS, 0), 0, 0, []
    for found, there in _segments_of_videos(predicted, true, masks, background):
        num_predicted, num_true = num_predicted + len(found.labels), num_true + len(there.labels)
        for overlap in OVERLAPS:
            num_right[overlap] += _num_right(found, there, overlap)
        edit_scores.append(_edit_score(found.labels, there.labels))
    nothing = not num_predicted and not num_true
    f1 = {each: 100.0 if nothing else f1_of_counts(num_right[each], num_predicted, num_true) for each in OVERLAPS}
    return SegmentScores(
        segment_f1_10=f1[10],
        segment_f1_25=f1[25],
        segment_f1_50=f1[50],
        edit_score=float(np.mean(edit_scores)),
        num_examples=len(true),
        signature=f"segments:{num_true}|background:{'none' if background is None else background}"
        "|f1:iou,best-of-label-once,pooled|edit:levenshtein-over-longer,mean-of-videos",
    )


def _segments_of_videos(
    predicted: Sequence[np.ndarray],
    true: Sequence[np.ndarray],
    masks: Sequence[np.ndarray] | None,
    background: int | None,
) -> Iterator[tuple[_Segments, _Segments]]:
    for number, (found, there) in enumerate(zip(predicted, true, strict=True), start=1):
        found, there = np.asarray(found), np.asarray(there)
        kept = np.ones(there.shape, bool) if masks is None else np.asarray(masks[number - 1], bool)
        if there.ndim != 1 or not found.shape == there.shape == kept.shape:
            raise DataError(
                f"Video {number} has {found.size} predicted labels, {there.size} true ones and a mask of {kept.size}; "
                "give one of each for every frame."
            )
        yield _segments(found, kept, background), _segments(there, kept, background)


def _segments(labels: np.ndarray, kept: np.ndarray, background: int | None) -> _Segments:
    if not labels.size:
        return _Segments(labels, np.zeros(0, int), np.zeros(0, int))
    matters = kept if background is None else kept & (labels != background)
    changes = (labels[1:] != labels[:-1]) | (matters[1:] != matters[:-1])
    starts = np.concatenate(([0], np.flatnonzero(changes) + 1))  # -> [runs]
    ends = np.append(starts[1:], labels.size)
    real = matters[starts]
    return _Segments(labels[starts][real], starts[real], ends[real])


def _num_right(found: _Segments, there: _Segments, overlap: int) -> int:
    if not len(there.labels):
        return 0
    taken = np.zeros(len(there.labels), bool)
    for label, start, end in zip(found.labels, found.starts, found.ends, strict=True):
        intersection = np.minimum(end, there.ends) - np.maximum(start, there.starts)  # -> [true segments]
        union = np.maximum(end, there.ends) - np.minimum(start, there.starts)  # where the two meet
        # Whole numbers, so that a segment of exactly the least overlap is right on every machine.
        reaches = 100 * intersection >= overlap * union
        best = int(np.argmax(np.where(there.labels == label, intersection / union, -np.inf)))
        if there.labels[best] == label and reaches[best]:
            taken[best] = True
    return int(taken.sum())


def _edit_score(found: np.ndarray, there: np.ndarray) -> float:
    longer = max(len(found), len(there))
    return 100.0 * (1 - _levenshtein(found, there) / longer) if longer else 100.0


def _levenshtein(first: np.ndarray, second: np.ndarray) -> int:
    """Least number of insertions, deletions and substitutions; a row of the table at a time."""
    first, second = sorted((first, second), key=len)  # few rows, since each costs a round of Python
    places = np.arange(len(second) + 1)
    row = places
    for number, label in enumerate(first, start=1):
        above = np.minimum(row[1:] + 1, row[:-1] + (second != label))  # deletion, substitution
        row = np.concatenate(([number], above))
        row = np.minimum.accumulate(row - places) + places  # insertions, one a step to the right
    return int(row[-1])
