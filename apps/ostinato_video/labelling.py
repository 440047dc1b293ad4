"""Labels as numbers: their order, and those of the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ostinato.errors import DataError
from ostinato.sequences.store import BACKGROUND, UNLABELLED
from ostinato_video.examples import VideoExample


def label_order(examples: Sequence[VideoExample], *, background: bool) -> tuple[str, ...]:
    """Returns the names of all labels: background first if there is one, then in alphabetical order.

    Args:
      examples: of all splits.
      background: whether frames in no segment have a label of their own.

    Raises:
      DataError: there are fewer than two labels.
    """
    names = {example.label for example in examples if example.label is not None}
    names |= {segment.label for example in examples for segment in example.segments}
    if background and any(example.label is None for example in examples):
        names.add(BACKGROUND)
    if len(names) < 2:
        raise DataError(
            f"the videos have {len(names)} labels ({', '.join(names)}); there must be two or more to tell apart"
        )
    return tuple(sorted(names, key=lambda name: (name != BACKGROUND, name)))


def frame_numbers(example: VideoExample, times: np.ndarray, numbers: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """Returns the number of the label of each frame, int16 [F], by the segment that it lies in.

    Frames in no segment are background, or `UNLABELLED` where that is no label.

    Args:
      example: a video that is labelled segment by segment.
      times: float [F], seconds from the start of the video.
      numbers: int [F], of the frames in the file.
      labels: names of all labels, in order.
    """
    outside = labels.index(BACKGROUND) if BACKGROUND in labels else UNLABELLED
    found = np.full(len(times), outside, np.int16)
    for segment in example.segments:
        places = times if segment.unit == "seconds" else numbers
        found[(segment.start <= places) & (places < segment.end)] = labels.index(segment.label)
    return found
