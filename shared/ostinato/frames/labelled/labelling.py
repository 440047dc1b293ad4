"""Labels as numbers: their order, and those of the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ostinato.errors import DataError, InputError
from ostinato.frames.labelled.examples import VideoExample
from ostinato.frames.reading import VideoReader
from ostinato.sequences.store import UNLABELLED

_SLACK = 1.0  # seconds by which a segment may begin after the end that a file states


def label_order(examples: Sequence[VideoExample], *, background: str | None) -> tuple[str, ...]:
    """Returns the names of all labels: background first if there is one, then in alphabetical order.

    Args:
      examples: of all splits.
      background: the label of frames in no segment, None where they have none.

    Raises:
      DataError: there are fewer than two labels.
    """
    names = {example.label for example in examples if example.label is not None}
    names |= {segment.label for example in examples for segment in example.segments}
    if background is not None and any(example.label is None for example in examples):
        names.add(background)
    return sorted_labels(names, background)


def sorted_labels(names: set[str], background: str | None) -> tuple[str, ...]:
    """Returns labels in their order: background first if it is one of them, then the alphabet.

    Raises:
      DataError: there are fewer than two.
    """
    if len(names) < 2:
        raise DataError(
            f"the data have {len(names)} labels ({', '.join(names)}); there must be two or more to tell apart"
        )
    return tuple(sorted(names, key=lambda name: (name != background, name)))


def frame_numbers(
    example: VideoExample, times: np.ndarray, numbers: np.ndarray, labels: Sequence[str], *, background: str | None
) -> np.ndarray:
    """Returns the number of the label of each frame, int16 [F], by the segment that it lies in.

    Frames in no segment are background, or `UNLABELLED` where that is no label.

    Args:
      example: a video that is labelled segment by segment.
      times: float [F], seconds from the start of the video.
      numbers: int [F], of the frames in the file.
      labels: names of all labels, in order.
      background: the label of frames in no segment.
    """
    outside = labels.index(background) if background in labels else UNLABELLED
    found = np.full(len(times), outside, np.int16)
    for segment in example.segments:
        places = times if segment.unit == "seconds" else numbers
        found[(segment.start <= places) & (places < segment.end)] = labels.index(segment.label)
    return found


def check_segments(example: VideoExample, reader: VideoReader) -> None:
    """Raises InputError where a segment begins after the end: seconds and frames were confused, or the videos were."""
    if reader.duration is None:
        return
    for segment in example.segments:
        rate = 1.0 if segment.unit == "seconds" else reader.frame_rate
        if segment.start > (reader.duration + _SLACK) * rate:
            raise InputError(
                f"{example.video}: a segment begins at {segment.start:g} {segment.unit} and the video ends at "
                f"{reader.duration * rate:g}; columns start and end are seconds, start_frame and end_frame frames"
            )
