"""The moments of a video that say most about its timeline."""

from __future__ import annotations

from collections.abc import Iterable

from ostinato.frames.colours import is_background
from ostinato.frames.timeline import Segment


def key_times(segments: Iterable[Segment], duration: float, count: int = 8) -> list[float]:
    """Returns the times of key frames: the middles of the longest segments, then moments far from them.

    Times nearer to each other than half their average distance are not taken, so that one busy minute of an hour does
    not take all frames.

    Args:
      segments: of the video; those of a background label give no key frame of their own.
      duration: of the video in seconds.
      count: how many times at most.

    Returns:
      Seconds, ascending.
    """
    if duration <= 0:
        return [0.0][:count]
    least_distance = duration / (2 * count) if count else 0.0
    named = [segment for segment in segments if not is_background(segment.label)]
    chosen: list[float] = []
    for segment in sorted(named, key=lambda segment: -segment.duration):
        middle = (segment.start + segment.end) / 2
        if len(chosen) < count and all(abs(middle - other) >= least_distance for other in chosen):
            chosen.append(middle)
    evenly = [(number + 0.5) * duration / count for number in range(count)]
    while evenly and len(chosen) < count:
        distance, time = max((min((abs(time - other) for other in chosen), default=duration), time) for time in evenly)
        if distance < least_distance:
            break
        chosen.append(time)
        evenly.remove(time)
    return sorted(chosen)
