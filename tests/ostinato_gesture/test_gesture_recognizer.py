import numpy as np
import pytest

import ostinato_gesture
from ostinato.errors import InputError
from ostinato.frames.reading import Frame
from ostinato_gesture.config import EventConfig
from ostinato_gesture.results import UNKNOWN


def landmarks_of(frames, seed=1):
    return np.cumsum(np.random.default_rng(seed).normal(0, 0.1, (frames, 2, 21, 3)), axis=0).astype(np.float32)


def test_the_package_offers_what_python_users_need():
    for name in ostinato_gesture.__all__:
        assert getattr(ostinato_gesture, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Gestures'"):
        _ = ostinato_gesture.Gestures


def test_a_model_tells_what_it_knows(recognizer):
    assert (recognizer.labels, recognizer.none) == (("none", "fist", "wave"), "none")
    assert (recognizer.kind, recognizer.frame_rate) == ("landmarks", 12.5)
    assert recognizer.events == EventConfig(rise=0.7, min_seconds=0.1)


def test_a_recording_in_pieces_has_the_scores_of_the_whole(recognizer):
    recording = landmarks_of(75)  # more than are read at once, and no multiple
    result = recognizer.recognize(recording)
    whole = recognizer.model.signatures["serving_default"](landmarks=recording[None])
    np.testing.assert_allclose(result.frame_scores, whole["frame_scores"][0], atol=1e-5)
    np.testing.assert_allclose(result.scores, whole["scores"][0], atol=1e-5)
    np.testing.assert_allclose(result.times, np.arange(75) / 12.5)
    assert result.label == recognizer.labels[int(result.scores.argmax())]
    assert (result.confidence, result.duration) == (pytest.approx(result.scores.max()), pytest.approx(6.0))


def test_events_are_told_with_their_times(rule_recognizer):
    frames = np.repeat([0.0, 2.0, 0.0, -2.0], [5, 10, 15, 10])[:, None] * np.full(4, 0.25)
    right, left = rule_recognizer().recognize(frames).events
    assert (right.label, left.label) == ("right", "left")
    assert (right.start, right.end, left.start, left.end) == pytest.approx((0.5, 1.4, 3.0, 3.9))


def test_thresholds_can_be_chosen_by_the_caller(rule_recognizer):
    frames = np.full((10, 4), 0.26)  # a score of 0.6
    assert [event.label for event in rule_recognizer().recognize(frames, EventConfig(rise=0.5)).events] == ["right"]
    assert rule_recognizer().recognize(frames, EventConfig(rise=0.9)).events == ()


def test_a_recording_without_a_hand_is_unknown_and_holds_no_event(recognizer):
    result = recognizer.recognize(np.zeros((40, 2, 21, 3)), EventConfig(rise=0.01, fall=0.0, min_seconds=0.0))
    assert (result.label, result.confidence, result.events, result.hand_share) == (UNKNOWN, 0.0, (), 0.0)


def test_a_model_may_abstain(recognizer):
    assert recognizer.recognize(landmarks_of(5), EventConfig(abstain=1.0)).label == UNKNOWN


def test_hands_are_found_in_images_and_their_times_kept(recognizer, draw_scene):
    frames = [Frame(draw_scene((100 + 8 * number, 200)), 2 + number / 12.5, number) for number in range(5)]
    result = recognizer.recognize(iter(frames))
    np.testing.assert_allclose(result.times, [frame.time for frame in frames])
    assert result.hand_share > 0.5
    again = recognizer.recognize(np.stack([frame.image for frame in frames]))
    np.testing.assert_allclose(again.frame_scores, result.frame_scores, atol=1e-5)


@pytest.mark.parametrize(
    ("recording", "fault"),
    [
        (np.zeros((0, 2, 21, 3)), "no frames to look at"),
        (np.zeros((4, 2, 21)), r"The model reads landmarks \[frames, 2, 21, 3\], not float64 \[4, 2, 21\]"),
        (np.full((4, 2, 21, 3), np.inf), "must be finite"),
        (np.array([["a"]]), "The model reads landmarks"),
        (iter([]), "no frames to look at"),
        ("missing.mp4", "missing.mp4 does not exist"),
    ],
)
def test_what_cannot_be_read_is_told(recognizer, recording, fault):
    with pytest.raises(InputError, match=fault):
        recognizer.recognize(recording)


def test_images_are_nothing_to_a_model_of_other_features(rule_recognizer):
    with pytest.raises(InputError, match=r"reads features \[frames, 4\] and no images"):
        rule_recognizer().recognize("hands.mp4")


def test_a_bad_recording_among_good_ones_is_told_in_its_place(rule_recognizer):
    error = InputError("cut short")
    seconds: list[float] = []
    recordings = [np.zeros((5, 4)), "hands.mp4", error, np.zeros((7, 4))]
    results = list(rule_recognizer().recognize_each(recordings, on_seconds=seconds.append))
    kinds = [type(result).__name__ for _, result in results]
    assert kinds == ["GestureResult", "InputError", "InputError", "GestureResult"]
    assert results[2] == (error, error)
    assert seconds == pytest.approx([0.4, 0.5 + 0.6])
