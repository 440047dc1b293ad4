import functools
import json

import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import START_TOLERANCE, match_events, score_event_classes, score_events


def fits(found, true, tolerance):
    return found[1] == true[1] and abs(found[0] - true[0]) <= tolerance


def most_pairs(found, true, tolerance):
    """The greatest number of pairs, by trying everything."""

    @functools.cache
    def best(place, left):
        if place == len(found):
            return 0
        taken = [1 + best(place + 1, left - {number}) for number in left if fits(found[place], true[number], tolerance)]
        return max([best(place + 1, left), *taken])

    return best(0, frozenset(range(len(true))))


def random_events(generator, count, length=90):
    return [(int(generator.integers(length)), "ab"[generator.integers(2)]) for _ in range(count)]


@pytest.mark.parametrize("seed", range(40))
def test_as_many_events_are_paired_as_can_be(seed):
    generator = np.random.default_rng(seed)
    found, true = random_events(generator, generator.integers(7)), random_events(generator, generator.integers(7))
    pairs = match_events(found, true, tolerance=15)
    assert len(pairs) == most_pairs(found, true, 15)
    assert all(fits(found[first], true[second], 15) for first, second in pairs)
    assert len({first for first, _ in pairs}) == len({second for _, second in pairs}) == len(pairs)


def test_the_nearest_partner_is_not_always_the_best_assignment():
    # The event found at 20 is nearest to the true one at 25, which is the only one left for that at 40.
    assert match_events([(20, "a"), (40, "a")], [(4, "a"), (25, "a")]) == [(0, 0), (1, 1)]


def test_a_start_is_right_within_twenty_frames_either_side():
    assert START_TOLERANCE == 20
    for start, right in ((79, False), (80, True), (100, True), (120, True), (121, False)):
        assert score_events([[(start, "a")]], [[(100, "a")]]).event_f1 == (100.0 if right else 0.0)
    assert score_events([[(121, "a")]], [[(100, "a")]], tolerance=21).event_f1 == 100.0


def test_an_example_counted_by_hand():
    true = [[(10, "push"), (60, "turn"), (200, "push")], [(30, "turn")]]
    # Right; again, so wrong; wrong label; nothing at 200. The second recording: right, and one out of nothing.
    found = [[(15, "push"), (25, "push"), (60, "push")], [(300, "turn"), (41, "turn")]]
    scores = score_events(found, true)
    assert scores.event_precision == pytest.approx(100 * 2 / 5)
    assert scores.event_recall == pytest.approx(100 * 2 / 4)
    assert scores.event_f1 == pytest.approx(100 * 4 / 9)
    assert (scores.num_found, scores.num_right, scores.num_examples) == (5, 2, 4)
    assert scores.signature == "events:label,start-within-20,each-once,pooled|recordings:2"


def test_an_event_is_not_looked_for_in_another_recording():
    assert score_events([[(10, "a")], []], [[], [(10, "a")]]).num_right == 0


def test_each_label_is_scored_alone():
    true = [[(10, "push"), (60, "turn"), (200, "push")], [(30, "turn")]]
    found = [[(15, "push"), (25, "push"), (60, "push")], [(300, "turn"), (41, "turn")]]
    push, turn, wave = score_event_classes(found, true, ["push", "turn", "wave"])
    assert (push.precision, push.recall, push.support) == (pytest.approx(100 / 3), 50.0, 2)
    assert (turn.precision, turn.recall, turn.f1) == (50.0, 50.0, 50.0)
    assert (wave.f1, wave.support) == (0.0, 0)


def test_silence_where_nothing_happens_is_perfect_and_a_false_event_is_not():
    assert score_events([[]], [[]]).event_f1 == 100.0
    alarm = score_events([[(3, "a")]], [[]])
    assert (alarm.event_f1, alarm.event_precision, alarm.event_recall, alarm.num_found) == (0.0, 0.0, 0.0, 1)
    missed = score_events([[]], [[(3, "a")]])
    assert (missed.event_f1, missed.event_precision, missed.event_recall) == (0.0, 0.0, 0.0)


def test_scores_are_one_json_object_of_plain_numbers():
    scores = score_events([[(3, "a")]], [[(3, "a")]])
    fields = json.loads(json.dumps(scores.to_dict()))
    assert list(fields)[:3] == ["event_f1", "event_precision", "event_recall"]
    assert fields["num_examples"] == 1


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(DataError, match="1 recordings of 2"):
        score_events([[]], [[], []])
    with pytest.raises(DataError, match="no recordings"):
        score_events([], [])
    with pytest.raises(ConfigError, match="it is -1"):
        match_events([], [], tolerance=-1)
