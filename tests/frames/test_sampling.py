from dataclasses import dataclass

import pytest

from ostinato.frames.sampling import sample_and_hold


@dataclass(frozen=True)
class Shown:
    time: float
    end: float


def film(times, last=0.1):
    ends = [*times[1:], times[-1] + last]
    return [Shown(time, end) for time, end in zip(times, ends, strict=True)]


def chosen(times, frame_rate, start=0.0, last=0.1):
    """Index of the frame at each time of the grid."""
    sampled = list(sample_and_hold(film(times, last), frame_rate, start))
    assert [time for time, _ in sampled] == pytest.approx(
        [(k + round(start * frame_rate)) / frame_rate for k in range(len(sampled))]
    )
    return [times.index(frame.time) for _, frame in sampled]


def test_a_fast_video_drops_frames_and_a_slow_one_repeats_them():
    assert chosen([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 5) == [0, 2, 4, 6]
    assert chosen([0.0, 0.1, 0.2], 20) == [0, 0, 1, 1, 2, 2]


def test_where_the_rate_varies_the_last_frame_at_or_before_each_time_is_taken():
    assert chosen([0.0, 0.05, 0.07, 0.5, 0.55], 10) == [0, 2, 2, 2, 2, 3, 4]


def test_times_rounded_to_milliseconds_keep_every_frame_at_their_own_rate():
    times = [round(k / 30, 3) for k in range(31)]
    assert chosen(times, 30, last=0.033) == list(range(31))


def test_a_frame_shorter_than_the_grid_still_gives_one():
    assert chosen([0.0], 3, last=0.02) == [0]


def test_a_grid_begins_at_the_start_wanted():
    assert chosen([0.0, 0.1, 0.2, 0.3], 10, start=0.2) == [2, 3]


def test_no_frame_gives_none():
    assert list(sample_and_hold([], 7)) == []
