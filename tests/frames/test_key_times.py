from itertools import pairwise

import pytest

from ostinato.frames.key_times import key_times
from ostinato.frames.timeline import Segment


def test_the_longest_segments_give_their_middles():
    segments = [Segment(0, 10, "a", 1), Segment(40, 60, "b", 1), Segment(80, 81, "c", 1)]
    assert key_times(segments, 100, count=2) == [5, 50]


def test_background_gives_none_and_gaps_are_filled():
    times = key_times([Segment(0, 90, "background", 1), Segment(90, 100, "a", 1)], 100, count=5)
    assert 95 in times
    assert len(times) == 5
    assert times == sorted(times)
    assert min(times) < 30
    assert all(after - before >= 10 for before, after in pairwise(times))


def test_one_busy_stretch_does_not_take_all():
    segments = [Segment(number, number + 1, "a", 1) for number in range(20)]
    assert max(key_times(segments, 1000, count=4)) > 700


@pytest.mark.parametrize("count", [0, 1, 3, 7])
def test_an_empty_timeline_is_looked_at_evenly(count):
    assert key_times([], 21.0, count) == pytest.approx([21 * (2 * place + 1) / (2 * count) for place in range(count)])


def test_a_video_of_one_frame_has_one_key_frame():
    assert key_times([], 0.0) == [0.0]
