import numpy as np
import pytest

from ostinato.errors import InputError
from ostinato_gesture.config import EventConfig

NOTHING, LEFT, RIGHT = np.zeros(4), np.full(4, -0.5), np.full(4, 0.5)


def picture(value):
    return np.full((6, 8, 3), value, np.uint8)


@pytest.fixture
def stream(rule_recognizer):
    return rule_recognizer().stream()


@pytest.fixture
def painted(rule_recognizer, painted_hands):
    """A stream at 10 frames/s of images in which a hand is at once found."""
    return rule_recognizer("landmarks", (2, 21, 3)).stream()


def fired(results):
    return [(number, result.event.label) for number, result in enumerate(results) if result.event is not None]


def test_a_gesture_fires_once_while_it_is_held(stream):
    results = [stream.step(frame) for frame in [NOTHING] * 5 + [RIGHT] * 50 + [NOTHING] * 5]
    assert fired(results) == [(7, "right")]
    assert (results[30].label, results[30].event) == ("right", None)
    assert results[2].label == "none"


def test_streaming_recognises_what_the_whole_recording_holds(recognizer):
    random = np.random.default_rng(4)
    recording = np.cumsum(random.normal(0, 0.1, (41, 2, 21, 3)), axis=0).astype(np.float32)
    recording[20:24] = 0
    events = EventConfig(rise=0.45, fall=0.4, min_seconds=0.0, refractory_seconds=0.1)
    whole = recognizer.recognize(recording, events)
    with recognizer.stream(events) as stream:
        results = [stream.step(frame) for frame in recording]
    np.testing.assert_allclose([result.scores for result in results], whole.frame_scores, atol=1e-5)
    assert whole.events
    assert [result.event.label for result in results if result.event] == [event.label for event in whole.events]
    starts = [result.event.start for result in results if result.event]
    np.testing.assert_allclose(starts, [event.start for event in whole.events], atol=1e-6)


def test_every_frame_of_a_fast_camera_shows_its_hands_and_the_network_reads_at_its_own_rate(painted):
    times = np.arange(31) / 30  # three times as fast as the network reads
    results = [painted.step(picture(250 if time > 0.3 else 128), time) for time in times]
    assert [result.hands.presence.any() for result in results] == [time > 0.3 for time in times]
    scores = [result.scores for result in results]
    changes = [number for number in range(1, 31) if scores[number] is not scores[number - 1]]
    assert changes == [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]


def test_a_slow_camera_has_its_hands_stay_until_the_next_frame(painted):
    for time in (0.0, 0.2, 0.4, 0.6):
        result = painted.step(picture(250), time)
    assert result.label == "right"
    assert painted._session._state["state_frames"] == 7  # at 0.0, 0.1, ... 0.6


def test_trembling_times_of_a_camera_cost_no_frame(painted):
    random = np.random.default_rng(3)
    for number in range(40):
        painted.step(picture(250), number / 10 + random.uniform(-0.02, 0.02) + 0.02)
    assert painted._session._state["state_frames"] == 40


@pytest.mark.parametrize("time", [0.05, 3.0])
def test_a_source_that_begins_anew_or_was_away_is_another_stream(painted, painted_hands, time):
    for number in range(6):
        painted.step(picture(250), 0.1 * number)
    before = painted_hands.restarts
    painted.step(picture(128), time)
    assert painted._session._state["state_frames"] == 1
    assert painted_hands.restarts == before + 1


def test_a_frame_without_a_hand_is_no_gesture_and_no_event(painted):
    results = [painted.step(picture(128), 0.1 * number) for number in range(20)]
    assert fired(results) == []
    assert {result.label for result in results} == {"none"}


def test_a_model_without_a_label_for_no_gesture_calls_an_empty_frame_unknown(rule_recognizer, painted_hands):
    stream = rule_recognizer("landmarks", (2, 21, 3), none=None).stream()
    assert (stream.step(picture(128)).label, stream.step(picture(250)).label) == ("unknown", "right")


def test_left_and_right_hands_are_told_apart_through_images(painted):
    values = [10] * 6 + [128] * 20 + [250] * 6
    results = [painted.step(picture(value), 0.1 * number) for number, value in enumerate(values)]
    assert fired(results) == [(2, "left"), (28, "right")]


def test_warming_up_leaves_no_trace(stream):
    stream.warm_up()
    stream.step(NOTHING)
    assert stream._session._state["state_frames"] == 1


@pytest.mark.parametrize(
    ("frame", "time", "fault"),
    [
        (np.zeros(5), 0.0, r"features \[frames, 4\]"),
        (np.full(4, np.nan), 0.0, "finite"),
        (np.zeros((6, 8, 3), np.uint8), 0.0, "The model reads features"),
        (np.zeros(4), np.nan, "number of seconds"),
    ],
)
def test_what_is_no_frame_is_told(stream, frame, time, fault):
    with pytest.raises(InputError, match=fault):
        stream.step(frame, time)
