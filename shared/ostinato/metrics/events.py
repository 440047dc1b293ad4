"""How well events are spotted in a recording: right label, right time, and each only once."""

import dataclasses
from collections.abc import Hashable, Sequence

from ostinato.errors import ConfigError, DataError
from ostinato.metrics.classes import ClassScores, class_scores, f1_of_counts, percentage

START_TOLERANCE = 20  # frames, rule of SFINGE 3D, Caputo et al. 2020

# The first frame, and the label. Other numbers than frames will do if the tolerance is in the same unit.
Event = tuple[float, Hashable]


@dataclasses.dataclass(frozen=True)
class EventScores:
    """Scores of spotted events on the scale 0 to 100."""

    event_f1: float
    event_precision: float  # of the events found, the share that is right
    event_recall: float  # of the true events, the share that is found
    num_found: int
    num_right: int
    num_examples: int  # true events
    signature: str

    def to_dict(self) -> dict[str, float | int | str]:
        """The fields by name, as `evaluate --format json` prints them."""
        return dataclasses.asdict(self)


def match_events(
    found: Sequence[Event], true: Sequence[Event], *, tolerance: float = START_TOLERANCE
) -> list[tuple[int, int]]:
    """Pairs the events of one recording so that as many as can be have a partner.

    Two events fit where their labels are equal and their starts at most the tolerance apart; each has one partner at
    most. In order of time, the earliest event that still can have a partner takes the earliest one that fits, which
    leaves the most to those that follow.

    Args:
      found: events in any order.
      true: events in any order.
      tolerance: in the unit of the starts.

    Returns:
      pairs of a place in `found` and one in `true`, sorted.

    Raises:
      ConfigError: a tolerance below 0.
    """
    if not tolerance >= 0:
        raise ConfigError(f"A tolerance is a number of frames, 0 or more; it is {tolerance}.")
    pairs = []
    for label in {event[1] for event in found}:
        waiting, expected = _places(found, label), _places(true, label)
        first = 0
        for place in waiting:
            while first < len(expected) and true[expected[first]][0] < found[place][0] - tolerance:
                first += 1
            if first < len(expected) and true[expected[first]][0] <= found[place][0] + tolerance:
                pairs.append((place, expected[first]))
                first += 1
    return sorted(pairs)


def score_events(
    found: Sequence[Sequence[Event]], true: Sequence[Sequence[Event]], *, tolerance: float = START_TOLERANCE
) -> EventScores:
    """Scores the events spotted in recordings; see `match_events` for what is right.

    An event found twice is right once and wrong once. The counts of all recordings are added up.

    Args:
      found: of each recording, its events as pairs of start and label.
      true: of each recording, its events.
      tolerance: in frames.

    Returns:
      the scores; 100 of each where no event is true and none found.

    Raises:
      DataError: different numbers of recordings, or none.
      ConfigError: a tolerance below 0.

    Reference: Caputo et al. 2020 (SFINGE 3D).
    """
    _check_recordings(found, true)
    num_right = sum(len(match_events(*recording, tolerance=tolerance)) for recording in zip(found, true, strict=True))
    num_found, num_true = sum(map(len, found)), sum(map(len, true))
    nothing = not num_found and not num_true
    return EventScores(
        event_f1=100.0 if nothing else f1_of_counts(num_right, num_found, num_true),
        event_precision=100.0 if nothing else percentage(num_right, num_found),
        event_recall=100.0 if nothing else percentage(num_right, num_true),
        num_found=num_found,
        num_right=num_right,
        num_examples=num_true,
        signature=f"events:label,start-within-{tolerance:g},each-once,pooled|recordings:{len(true)}",
    )


def score_event_classes(
    found: Sequence[Sequence[Event]],
    true: Sequence[Sequence[Event]],
    labels: Sequence[str],
    *,
    tolerance: float = START_TOLERANCE,
) -> tuple[ClassScores, ...]:
    """Scores the events of each label alone; arguments and errors as of `score_events`."""
    _check_recordings(found, true)
    pairs = [
        (recording, place)
        for number, recording in enumerate(found)
        for place, _ in match_events(recording, true[number], tolerance=tolerance)
    ]
    return tuple(
        class_scores(
            label,
            sum(recording[place][1] == label for recording, place in pairs),
            sum(event[1] == label for recording in found for event in recording),
            sum(event[1] == label for recording in true for event in recording),
        )
        for label in labels
    )


def _places(events: Sequence[Event], label: Hashable) -> list[int]:
    """The places of the events of one label, in order of their starts."""
    return sorted((place for place, event in enumerate(events) if event[1] == label), key=lambda each: events[each][0])


def _check_recordings(found: Sequence[Sequence[Event]], true: Sequence[Sequence[Event]]) -> None:
    if len(found) != len(true):
        raise DataError(f"There are events found in {len(found)} recordings of {len(true)}; give as many.")
    if not true:
        raise DataError("There are no recordings to score; give at least one.")
