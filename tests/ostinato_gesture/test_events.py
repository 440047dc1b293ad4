import itertools

import numpy as np
import pytest

from ostinato_gesture.config import EventConfig
from ostinato_gesture.events import HANDLESS_SECONDS, EventSpotter, spot_events

LABELS = ("none", "wave", "fist")
FRAME_RATE = 15.0
CONFIG = EventConfig(rise=0.6, fall=0.3, refractory_seconds=1.0, min_seconds=0.2)


def scores_of(*spans):
    """Scores of frames, float [F, 3]: spans of a number of frames, a label and its score; `none` has the rest."""
    rows = []
    for num_frames, label, score in spans:
        row = np.zeros(3)
        row[LABELS.index(label)] = score
        row[0] += 1 - score
        rows += [row] * num_frames
    return np.array(rows)


def spot(scores, config=CONFIG, **kwargs):
    return spot_events(scores, np.arange(len(scores)) / FRAME_RATE, LABELS, config, none="none", **kwargs)


def stream(scores, config=CONFIG):
    """What fires while the frames come: number of the frame, label, start."""
    spotter = EventSpotter(LABELS, config, none="none")
    fired = [spotter.step(row, number / FRAME_RATE) for number, row in enumerate(scores)]
    return [(number, event.label, event.start) for number, event in enumerate(fired) if event is not None]


def random_scores(seed, num_frames=400):
    """Scores that wander, so that labels come, stay, flicker and go."""
    random = np.random.default_rng(seed)
    logits = np.zeros((num_frames, 3))
    for number in range(1, num_frames):
        logits[number] = 0.93 * logits[number - 1] + random.normal(0, 0.9, 3)
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_a_gesture_held_for_five_seconds_fires_once():
    held = scores_of((10, "none", 1.0), (75, "wave", 0.9), (10, "none", 1.0))
    assert [(number, label) for number, label, _ in stream(held)] == [(13, "wave")]  # 0.2 s after its first frame
    (event,) = spot(held)
    assert (event.start, event.end) == pytest.approx((10 / FRAME_RATE, 84 / FRAME_RATE))
    assert event.confidence == pytest.approx(0.9)


@pytest.mark.parametrize("seed", range(5))
def test_a_held_gesture_whose_score_flickers_fires_once(seed):
    random = np.random.default_rng(seed)
    held = scores_of((5, "none", 1.0), (20, "wave", 0.9), *[(1, "wave", score) for score in random.random(60)])
    assert len(spot(held)) == 1


@pytest.mark.parametrize("seed", range(20))
def test_noise_below_the_rise_threshold_never_fires(seed):
    random = np.random.default_rng(seed)
    scores = random.random((500, 3)) * 0.599
    assert spot(scores) == ()


@pytest.mark.parametrize("seed", range(20))
def test_the_same_gesture_never_fires_again_within_the_refractory_time(seed):
    config = EventConfig(min_seconds=0.0, refractory_seconds=1.5)
    events = spot(random_scores(seed), config)
    assert len(events) > 3
    for label in LABELS[1:]:
        of_label = [event for event in events if event.label == label]
        for before, after in itertools.pairwise(of_label):
            assert after.start - before.end > config.refractory_seconds


@pytest.mark.parametrize("seed", range(20))
def test_streaming_fires_what_the_whole_recording_holds(seed):
    scores = random_scores(seed)
    whole = spot(scores)
    assert whole
    assert [(label, start) for _, label, start in stream(scores)] == [(event.label, event.start) for event in whole]
    assert all(0 <= event.start <= event.end <= len(scores) / FRAME_RATE for event in whole)


@pytest.mark.parametrize("seed", range(10))
def test_what_comes_later_changes_nothing_of_what_has_fired(seed):
    scores = random_scores(seed)
    assert stream(scores)[: len(stream(scores[:200]))] == stream(scores[:200])


@pytest.mark.parametrize("seed", range(10))
def test_no_gesture_is_never_an_event(seed):
    assert all(event.label != "none" for event in spot(random_scores(seed), EventConfig(min_seconds=0.0)))


def test_a_gesture_made_twice_is_two_events():
    twice = scores_of((20, "wave", 0.9), (20, "none", 1.0), (20, "wave", 0.9))
    assert [event.label for event in spot(twice)] == ["wave", "wave"]


def test_a_gesture_lost_for_a_moment_is_the_same_event():
    twice = scores_of((20, "wave", 0.9), (10, "none", 1.0), (20, "wave", 0.9))
    (event,) = spot(twice)
    assert event.end == pytest.approx(49 / FRAME_RATE)


def test_another_gesture_may_follow_at_once():
    both = scores_of((20, "wave", 0.9), (20, "fist", 0.8))
    wave, fist = spot(both)
    assert (wave.label, fist.label) == ("wave", "fist")
    assert wave.end < fist.start


def test_what_is_shorter_than_the_shortest_gesture_does_not_fire():
    assert spot(scores_of((10, "none", 1.0), (3, "wave", 0.9), (10, "none", 1.0))) == ()
    assert len(spot(scores_of((10, "none", 1.0), (4, "wave", 0.9), (10, "none", 1.0)))) == 1


def test_a_score_that_rises_slowly_starts_where_it_passed_the_fall_threshold():
    slow = scores_of((5, "none", 1.0), (3, "wave", 0.2), (3, "wave", 0.4), (10, "wave", 0.8))
    assert spot(slow)[0].start == pytest.approx(8 / FRAME_RATE)


def test_nothing_fires_while_no_hand_is_in_view():
    held = scores_of((60, "wave", 0.9))
    assert spot(held, hands=np.zeros(60, bool)) == ()


def test_a_gesture_ends_when_its_hand_has_gone():
    held = scores_of((60, "wave", 0.9))
    hands = np.arange(60) < 30
    (event,) = spot(held, hands=hands)
    assert event.end == pytest.approx(29 / FRAME_RATE + HANDLESS_SECONDS, abs=1 / FRAME_RATE)


def test_a_hand_that_motion_blurs_for_a_moment_does_not_end_the_gesture():
    held = scores_of((60, "wave", 0.9))
    hands = np.ones(60, bool)
    hands[20:25] = False
    (event,) = spot(held, hands=hands)
    assert event.end == pytest.approx(59 / FRAME_RATE)


def test_memory_does_not_grow_with_the_stream():
    spotter = EventSpotter(LABELS, CONFIG, none="none")
    for number, row in enumerate(np.tile(random_scores(0), (5, 1))):
        spotter.step(row, number / FRAME_RATE)
    assert not [value for value in vars(spotter).values() if isinstance(value, list | dict | set)]


def test_a_reset_spotter_knows_nothing_of_before():
    spotter = EventSpotter(LABELS, CONFIG, none="none")
    wave = scores_of((1, "wave", 0.9))[0]
    assert [spotter.step(wave, number / FRAME_RATE) is not None for number in range(6)].count(True) == 1
    spotter.reset()
    assert spotter.held is None
    assert [spotter.step(wave, number / FRAME_RATE) is not None for number in range(6)].count(True) == 1


def test_without_a_label_for_no_gesture_each_label_may_fire():
    scores = np.tile([0.9, 0.05, 0.05], (20, 1))
    (event,) = spot_events(scores, np.arange(20) / FRAME_RATE, LABELS, CONFIG)
    assert event.label == "none"
