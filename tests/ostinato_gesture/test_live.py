import json

import numpy as np
import pytest

from ostinato.errors import InputError, ModelError
from ostinato.frames.reading import Frame
from ostinato.frames.video_writer import VideoWriter
from ostinato_gesture import live
from ostinato_gesture.live import recognize_stream, run_live
from ostinato_gesture.results import Event


@pytest.fixture
def watcher(rule_recognizer, painted_hands):
    """A recognizer of images at 10 frames/s that finds painted hands."""
    return rule_recognizer("landmarks", (2, 21, 3))


def events_of(lines):
    return [(record["event"]["label"], record["event"]["start"]) for record in map(json.loads, lines)]


def test_each_gesture_of_a_file_is_told_once_as_a_line_of_json(watcher, painted_video):
    lines: list[str] = []
    acted: list[Event] = []
    statistics = run_live(
        watcher, str(painted_video), headless=True, real_time=False, write=lines.append, act=acted.append
    )
    assert events_of(lines) == [("right", 0.5), ("left", 4.5)]
    assert [event.label for event in acted] == ["right", "left"]
    record = json.loads(lines[0])
    assert record["time"] == pytest.approx(0.7)  # 0.2 s after it began
    assert {"frame", "event", "latency_p50_ms", "latency_p95_ms", "model_rate", "source_rate", "dropped"} <= set(record)
    assert (statistics.frames, statistics.captured, statistics.dropped) == (120, 120, 0)


def test_every_frame_has_a_line_where_that_is_asked_for(watcher, painted_video):
    lines: list[str] = []
    run_live(watcher, str(painted_video), headless=True, real_time=False, every_frame=True, write=lines.append)
    records = [json.loads(line) for line in lines]
    assert [record["frame"] for record in records] == list(range(120))
    assert (records[20]["label"], records[20]["hands"]) == ("right", 1)
    assert (records[60]["label"], records[60]["hands"]) == ("none", 0)
    assert [record["event"]["label"] for record in records if "event" in record] == ["right", "left"]


def test_a_file_in_real_time_takes_its_own_time(watcher, tmp_path):
    path = tmp_path / "short.mp4"
    with VideoWriter(path, frame_rate=20, size=(32, 24)) as video:
        for _ in range(20):
            video.write(np.full((24, 32, 3), 255, np.uint8))
    lines: list[str] = []
    statistics = run_live(watcher, str(path), headless=True, write=lines.append)
    assert events_of(lines) == [("right", 0.0)]
    assert statistics.seconds > 0.5
    assert statistics.latency_p50_ms < 500


def test_the_loop_ends_after_as_many_frames_as_asked_for(watcher, painted_video):
    statistics = run_live(watcher, str(painted_video), headless=True, real_time=False, max_frames=7)
    assert statistics.frames == 7


def test_a_source_in_which_no_hand_is_ever_seen_is_told_and_fires_nothing(watcher, tmp_path):
    path = tmp_path / "empty.mp4"
    with VideoWriter(path, frame_rate=20, size=(32, 24)) as video:
        for _ in range(10):
            video.write(np.full((24, 32, 3), 128, np.uint8))
    lines: list[str] = []
    notices: list[str] = []
    run_live(watcher, str(path), headless=True, real_time=False, write=lines.append, on_notice=notices.append)
    assert lines == []
    assert notices == [
        "no hand was found in any of 10 frames; hold it into the picture, nearer to the camera and in better light."
    ]


def test_a_camera_that_was_away_comes_back_without_a_false_event(watcher):
    class Source:
        captured = dropped = 0

        def __init__(self):
            # a hand until 0.1 s; then nothing for 5 s; then a hand again, which must be held anew for 0.2 s
            times = [*0.1 * np.arange(2), *6 + 0.1 * np.arange(20)]
            values = [255] * 2 + [255] * 4 + [128] * 16
            self.frames = iter(
                [
                    Frame(np.full((24, 32, 3), value, np.uint8), time, 0)
                    for time, value in zip(times, values, strict=True)
                ]
            )

        def get(self, timeout):
            frame = next(self.frames, None)
            return None if frame is None else (frame, 0.0)

    events = []
    with watcher.stream() as stream:
        recognize_stream(stream, Source(), on_result=lambda frame, result, statistics: events.append(result.event))
    assert [(number, event.label) for number, event in enumerate(events) if event is not None] == [(4, "right")]


def test_a_model_without_a_label_for_no_gesture_is_refused(rule_recognizer, painted_video):
    with pytest.raises(ModelError, match="no label for what is no gesture"):
        run_live(rule_recognizer("landmarks", (2, 21, 3), none=None), str(painted_video), headless=True)


def test_a_model_of_other_features_is_refused(rule_recognizer, painted_video):
    with pytest.raises(ModelError, match="reads features of another kind"):
        run_live(rule_recognizer(), str(painted_video), headless=True)


def test_a_source_that_is_not_there_is_told(watcher):
    with pytest.raises(InputError, match=r"missing\.mp4 does not exist"):
        run_live(watcher, "missing.mp4", headless=True)


def test_the_window_shows_hand_label_and_the_latest_event(watcher, painted_video, monkeypatch):
    shown: list[tuple] = []

    class Window:
        def __init__(self, title, draw):
            self.title, self.draw = title, draw

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def ended(self):
            return len(shown) >= 40

        def show(self, frame, result, statistics):
            shown.append((result, self.draw(frame, result, statistics), frame.image))

    monkeypatch.setattr("ostinato.frames.window.Window", Window)
    drawn: list[tuple] = []
    overlay_draw = live_overlay_draw(drawn)
    monkeypatch.setattr("ostinato.frames.overlay.Overlay.draw", overlay_draw)
    run_live(watcher, str(painted_video), real_time=False)
    assert len(shown) == 40
    assert next(lines[0] for lines, _ in drawn if lines[0].startswith(">>")) == ">> right"
    assert [len(hands) for _, hands in drawn] == [0] * 10 + [1] * 30


def live_overlay_draw(drawn):
    """Notes what an overlay is asked to draw."""

    def draw(self, image, time, label, confidence, *, lines, hands):
        drawn.append((lines, list(hands)))
        return image

    return draw


def test_memory_holds_no_results(watcher):
    watch = live.Watch()
    assert set(vars(watch)) == {"frames_with_hands", "events", "latest"}
