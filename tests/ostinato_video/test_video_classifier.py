import mmap
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from ostinato.errors import InputError, ModelError
from ostinato.export import LoadedModel
from ostinato.frames.reading import Frame
from ostinato_video import video_classifier as module
from ostinato_video.config import TimelineConfig
from ostinato_video.reading import open_video
from ostinato_video.video_classifier import VideoClassifier

RATE = 12.5
PLAIN = TimelineConfig(switch_cost=0.0, min_seconds=0.0)


@pytest.fixture(scope="module")
def video(squares):
    return squares / "monday_0.mp4"


@pytest.fixture(scope="module")
def result(video_classifier, video):
    return video_classifier.classify(video)


def test_it_knows_what_its_model_knows(video_classifier):
    assert video_classifier.labels == ("background", "blue", "red")
    assert video_classifier.background == "background"
    assert (video_classifier.frame_rate, video_classifier.image_size) == (12.5, 32)
    assert video_classifier.timeline == TimelineConfig(switch_cost=1.0, min_seconds=0.2)


def test_every_frame_has_its_time_number_and_scores(result):
    assert result.labels == ("background", "blue", "red")
    np.testing.assert_allclose(result.times, np.arange(25) / RATE)
    assert result.frame_numbers.tolist() == list(range(25))
    assert result.frame_scores.shape == (25, 3)
    assert result.duration == pytest.approx(2.0)
    assert result.damage is None


def test_the_clip_has_its_most_probable_label(result):
    assert result.label == result.labels[int(np.argmax(result.scores))]
    assert result.confidence == pytest.approx(float(result.scores.max()))
    assert result.scores.sum() == pytest.approx(1, abs=1e-5)


def test_a_video_is_labelled_as_all_its_frames_at_once(video_classifier, video, result):
    with open_video(video, RATE) as reader:
        images = np.stack([frame.image for frame in reader])
    outputs = video_classifier.model.signatures["serving_default"](frames=images[np.newaxis])
    np.testing.assert_allclose(result.frame_scores, outputs["frame_scores"][0], atol=1e-5)
    np.testing.assert_allclose(result.scores, outputs["scores"][0], atol=1e-5)


def test_a_stream_says_of_each_frame_what_is_said_of_the_video(video_classifier, video, result):
    stream = video_classifier.stream(PLAIN)
    with open_video(video, RATE) as reader:
        steps = [stream.step(frame.image) for frame in reader]
    np.testing.assert_allclose([step.scores for step in steps], result.frame_scores, atol=1e-5)
    assert [step.label for step in steps] == [result.labels[number] for number in result.frame_scores.argmax(axis=1)]
    assert (steps[-1].clip_label, steps[-1].clip_confidence) == (
        result.label,
        pytest.approx(result.confidence, abs=1e-5),
    )
    stream.reset()
    with open_video(video, RATE) as reader:
        np.testing.assert_allclose(stream.step(next(reader).image).scores, result.frame_scores[0], atol=1e-5)


def test_the_timeline_is_made_as_its_settings_say(video_classifier, video):
    every = video_classifier.classify(video, PLAIN)
    numbers = every.frame_scores.argmax(axis=1)
    changes = 1 + int((np.diff(numbers) != 0).sum())
    assert len(every.segments) == changes - _stretches_of(numbers, 0)
    assert all(segment.label in ("blue", "red") for segment in every.segments)
    smooth = video_classifier.classify(video, TimelineConfig(switch_cost=1e6))
    assert len(smooth.segments) <= 1
    unsure = video_classifier.classify(video, TimelineConfig(switch_cost=0.0, min_seconds=0.0, abstain=1.0))
    assert unsure.label == "unknown"
    assert {segment.label for segment in unsure.segments} == {"unknown"}
    assert unsure.confidence == pytest.approx(every.confidence)


def _stretches_of(numbers, number):
    is_number = np.concatenate([[False], numbers == number]).astype(int)
    return int((np.diff(is_number) == 1).sum())


def test_arrays_and_iterators_of_frames_are_labelled_as_their_video(video_classifier, video, result):
    with open_video(video, RATE) as reader:
        frames = list(reader)
    images = np.stack([frame.image for frame in frames])
    later = (Frame(frame.image, frame.time + 7, frame.number) for frame in frames)
    for given, start in ((images, 0), (iter(images), 0), (later, 7)):
        of_frames = video_classifier.classify(given)
        np.testing.assert_allclose(of_frames.frame_scores, result.frame_scores, atol=1e-5)
        np.testing.assert_allclose(of_frames.times, result.times + start)
    assert of_frames.segments[0].start == pytest.approx(result.segments[0].start + 7)


def test_frames_may_change_their_size(video_classifier):
    images = [np.full((20, 30, 3), 90, np.uint8)] * 3 + [np.full((31, 17, 3), 90, np.uint8)] * 2
    stream = video_classifier.stream(PLAIN)
    expected = [stream.step(image).scores for image in images]
    np.testing.assert_allclose(video_classifier.classify(iter(images)).frame_scores, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "there are no frames to look at"),
        (np.zeros((2, 5, 7, 3), np.float32), r"a frame is float32 \[5, 7, 3\]; give an array uint8"),
        ([np.zeros((5, 7), np.uint8)], r"a frame is uint8 \[5, 7\]"),
        ([np.zeros((0, 7, 3), np.uint8)], "7 x 0 pixels shows nothing"),
        (["frame.jpg"], "a frame is str"),
    ],
)
def test_what_is_no_frame_is_refused_in_a_sentence(video_classifier, frames, message):
    with pytest.raises(InputError, match=message):
        video_classifier.classify(frames)


def test_bad_videos_among_good_ones_are_named_in_their_places(video_classifier, squares, result, tmp_path):
    empty, passed_on = tmp_path / "empty.mp4", InputError("was not found before")
    empty.write_bytes(b"")
    videos = [squares / "monday_0.mp4", empty, tmp_path / "gone.mp4", passed_on, str(squares / "tuesday_1.mp4")]
    seconds = []
    found = list(video_classifier.classify_each(videos, on_seconds=seconds.append))
    assert [video for video, _ in found] == videos
    results = [each for _, each in found]
    np.testing.assert_allclose(results[0].frame_scores, result.frame_scores, atol=1e-6)
    assert "empty.mp4 is empty" in str(results[1])
    assert "gone.mp4 does not exist" in str(results[2])
    assert results[3] is passed_on
    assert results[4].frame_scores.shape == (25, 3)
    assert seconds == sorted(seconds)
    assert seconds[-1] == pytest.approx(2 + 24 / RATE)


def test_a_damaged_video_is_labelled_up_to_the_damage_and_says_so(video_classifier, tmp_path):
    path = tmp_path / "cut.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (40, 36))
    for number in range(40):
        writer.write(np.full((36, 40, 3), 5 * number, np.uint8))
    writer.release()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    result = video_classifier.classify(path)
    assert 5 < len(result.times) < 35
    assert "cut.avi is damaged or cut short" in result.damage


def test_models_of_other_applications_or_settings_are_refused(monkeypatch, exported):
    with pytest.raises(ModelError, match="No model nowhere"):
        VideoClassifier.load("nowhere")
    for metadata, message in (
        ({"application": "ostinato_caption"}, "writes no labels of videos"),
        ({"application": "ostinato_video", "decoding": {"switch_cost": 1.0}}, "know different settings"),
    ):
        loaded = LoadedModel(Path("toy/1"), {}, {"metadata": metadata}, {}, None)
        monkeypatch.setattr(module, "load_model", lambda name, loaded=loaded: loaded)
        with pytest.raises(ModelError, match=message):
            VideoClassifier.load("toy")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is asked of Linux")
def test_a_frame_costs_the_same_time_and_memory_however_many_came_before(video_classifier):
    stream = video_classifier.stream()
    images = np.random.default_rng(3).integers(0, 255, (7, 32, 32, 3)).astype(np.uint8)
    times, memory = [], []
    for number in range(1500):
        began = time.perf_counter()
        stream.step(images[number % 7])
        times.append(time.perf_counter() - began)
        if number in (500, 1499):
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE / 2**20)
    assert memory[1] - memory[0] < 8  # MB
    # The quickest of many: what else the machine does only ever adds to a time.
    assert np.percentile(times[-700:], 10) < 1.5 * np.percentile(times[300:1000], 10)
