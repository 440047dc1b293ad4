import json
from types import SimpleNamespace

import numpy as np
import pytest

from ostinato.errors import InputError
from ostinato.frames.live_statistics import LiveStatistics
from ostinato_video.live import PacedSource, label_stream, result_fields, run_live
from ostinato_video.results import FrameResult


class Source:
    """Gives frames of these times, then ends; a time of None is a silence."""

    def __init__(self, times):
        self.times, self.captured, self.dropped = list(times), 0, 5

    def get(self, timeout):
        if not self.times:
            return None
        time = self.times.pop(0)
        if time is None:
            raise TimeoutError
        self.captured += 1
        image = np.full((36, 40, 3), 9 * (self.captured % 28), np.uint8)
        return SimpleNamespace(image=image, time=time, number=self.captured - 1), 100 + time


def taken(source):
    times = []
    while True:
        try:
            frame = source.get(0.1)
        except TimeoutError:
            times.append(None)
            continue
        if frame is None:
            return times
        times.append(round(frame[0].time, 3))


def test_of_a_fast_camera_frames_are_taken_at_the_rate_of_the_network():
    assert taken(PacedSource(Source(np.arange(12) / 30), 10)) == [0.0, 0.1, 0.2, 0.3]
    assert taken(PacedSource(Source(np.arange(10) / 25), 10)) == [0.0, 0.12, 0.2, 0.32]


def test_jitter_does_not_lower_the_rate():
    times = np.arange(301) / 30 + np.random.default_rng(3).uniform(-0.004, 0.004, 301)
    assert 99 <= len(taken(PacedSource(Source(times), 10))) <= 102


def test_a_slow_camera_is_left_as_it_is():
    assert taken(PacedSource(Source([0, 0.25, 0.5, 1.5]), 10)) == [0, 0.25, 0.5, 1.5]


def test_after_a_gap_frames_do_not_come_all_at_once():
    times = [0, 0.1, 5.0, 5.03, 5.06, 5.1, 5.13]
    assert taken(PacedSource(Source(times), 10)) == [0, 0.1, 5.0, 5.1]


def test_a_source_that_begins_anew_is_followed():
    assert taken(PacedSource(Source([0, 0.1, 0.2, 0.0, 0.03, 0.1]), 10)) == [0, 0.1, 0.2, 0.0, 0.1]


def test_a_silent_source_lets_the_window_react():
    assert taken(PacedSource(Source([0, None, 0.1]), 10)) == [0, None, 0.1]


def test_it_ends_after_so_many_frames_that_were_taken():
    assert taken(PacedSource(Source(np.arange(99) / 30), 10, max_frames=3)) == [0.0, 0.1, 0.2]


def test_counts_are_those_of_the_source():
    paced = PacedSource(Source(np.arange(7) / 30), 10)
    taken(paced)
    assert (paced.captured, paced.dropped) == (7, 5)


def test_every_frame_that_is_taken_is_labelled_in_turn(video_classifier):
    seen = []
    statistics = label_stream(
        video_classifier,
        Source(np.arange(9) / 12.5),
        on_result=lambda frame, result, statistics: seen.append((frame.number, result)),
    )
    assert [number for number, _ in seen] == list(range(9))
    stream = video_classifier.stream()
    images = [np.full((36, 40, 3), 9 * (number + 1), np.uint8) for number in range(9)]
    for image, (_, result) in zip(images, seen, strict=True):
        np.testing.assert_allclose(result.scores, stream.step(image).scores, atol=1e-6)
    assert (statistics.frames, statistics.captured, statistics.dropped) == (9, 9, 5)


def test_a_file_without_a_window_gives_a_line_for_each_frame_that_predict_reads(video_classifier, squares):
    video, lines = squares / "monday_0.mp4", []
    statistics = run_live(video_classifier, str(video), headless=True, real_time=False, write=lines.append)
    records = [json.loads(line) for line in lines]
    expected = video_classifier.classify(video)
    assert [record["time"] for record in records] == pytest.approx(expected.times.tolist(), abs=1e-3)
    assert records[-1]["clip_label"] == expected.label
    assert records[-1]["clip_confidence"] == pytest.approx(expected.confidence, abs=1e-3)
    assert {record["label"] for record in records} <= set(video_classifier.labels)
    assert {"latency_p50_ms", "latency_p95_ms", "model_rate", "source_rate", "dropped"} <= set(records[0])
    assert statistics.frames == 25
    assert statistics.dropped == 0


def test_a_file_may_be_left_early(video_classifier, squares):
    video, lines = squares / "monday_0.mp4", []
    run_live(video_classifier, str(video), headless=True, real_time=False, max_frames=4, write=lines.append)
    assert len(lines) == 4


def test_a_source_that_is_not_there_is_said_to_be_missing(video_classifier, tmp_path):
    with pytest.raises(InputError, match=r"gone\.mp4 does not exist"):
        run_live(video_classifier, str(tmp_path / "gone.mp4"), headless=True)


def test_a_window_shows_the_frame_with_its_label_and_the_statistics(video_classifier, squares, monkeypatch):
    shown = []

    class Window:
        def __init__(self, title, draw):
            self.title, self.draw = title, draw

        def __enter__(self):
            return self

        def __exit__(self, *fault):
            return None

        def show(self, frame, result, statistics):
            shown.append((self.title, frame.image, self.draw(frame, result, statistics)))

        def ended(self):
            return len(shown) == 3

    monkeypatch.setattr("ostinato.frames.window.Window", Window)
    video = squares / "monday_0.mp4"
    statistics = run_live(video_classifier, str(video), real_time=False)
    assert statistics.frames == len(shown) == 3
    for title, image, drawn in shown:
        assert title.startswith("ostinato-video")
        assert drawn.shape == image.shape
        assert (drawn != image).any()


def test_a_line_has_the_labels_and_not_the_scores():
    result = FrameResult("eat", 0.123456, np.array([0.123456, 0.876544]), "sleep", 0.5)
    assert result_fields(result) == {
        "label": "eat",
        "confidence": 0.1235,
        "clip_label": "sleep",
        "clip_confidence": 0.5,
    }
    assert LiveStatistics().fields()
