"""What `ostinato-video` does with videos that are not as they should be: a sentence each, nothing lost."""

import csv
import json
import struct
import wave
from fractions import Fraction

import av
import numpy as np
import pytest

from ostinato.frames.reading import VideoReader
from ostinato_video.output import FORMATS


def written(path, images, frame_rate=12.5):
    """Writes an MP4 file whose index comes first, so that it can be cut off anywhere."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("mpeg4", rate=Fraction(frame_rate))
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt, stream.codec_context.gop_size, stream.codec_context.qmax = "yuv420p", 5, 3
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def pictures(count, height=36, width=40):
    """Grey, with a red square at the lower right that comes after a third of the time."""
    images = []
    for number in range(count):
        image = np.full((height, width, 3), 120, np.uint8)
        if number >= count // 3:
            image[height * 5 // 9 :, width * 5 // 9 :] = (210, 30, 30)
        images.append(image)
    return images


@pytest.fixture
def videos(tmp_path):
    """Two good videos, and between them whatever may come from a camera, a phone or a bad download."""
    folder = tmp_path / "videos"
    folder.mkdir()
    good = written(folder / "a good.mp4", pictures(50))
    (folder / "cut.mp4").write_bytes(good.read_bytes()[: good.stat().st_size * 3 // 5])
    (folder / "empty.mp4").touch()
    (folder / "headless.mp4").write_bytes(good.read_bytes()[:40])
    written(folder / "one.mp4", pictures(1))
    with wave.open(str(folder / "sound.mp4"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    written(folder / "z good.mp4", pictures(25))
    return folder


UNREADABLE = {"empty.mp4": "is empty (0 bytes)", "headless.mp4": "cut off before its index", "sound.mp4": "no video"}


def test_what_can_be_read_is_labelled_and_what_cannot_is_a_sentence_each(run, exported, videos):
    code, out, faults = run("predict", videos, "--model", exported, "--format", "json")
    records = {record["video"].rpartition("/")[2]: record for record in map(json.loads, out.splitlines())}
    assert code == 1
    assert list(records) == ["a good.mp4", "cut.mp4", "one.mp4", "z good.mp4"]
    assert records["a good.mp4"]["duration"] == pytest.approx(4.0)
    assert records["z good.mp4"]["duration"] == pytest.approx(2.0)
    assert records["one.mp4"]["duration"] == pytest.approx(0.08)
    assert len(faults) == len(UNREADABLE) + 1
    for name, words in UNREADABLE.items():
        (fault,) = (fault for fault in faults if name in fault)
        assert fault.startswith("ostinato-video: ")
        assert words in fault


@pytest.mark.parametrize("kind", list(FORMATS))
def test_a_video_that_was_cut_off_has_a_timeline_up_to_there(run, exported, videos, tmp_path, kind):
    cut, overlay, plot = videos / "cut.mp4", tmp_path / "seen.mp4", tmp_path / "seen.png"
    words = ("--model", exported, "--format", kind, "--switch-cost", 0, "--min-seconds", 0)
    drawn = ("--overlay", overlay, "--plot", plot) if kind == "json" else ()
    code, out, faults = run("predict", cut, *words, *drawn)
    assert (code, len(faults)) == (1, 1)
    assert f"{cut} is damaged or cut short: from " in faults[0]
    assert out
    if kind == "json":
        record = json.loads(out)
        with VideoReader(cut) as reader:
            images = [frame.image for frame in reader]
        assert 20 < len(images) < 45
        assert record["duration"] == pytest.approx(len(images) / 12.5)
        assert record["damage"] in faults[0]
        whole = json.loads(run("predict", videos / "a good.mp4", *words)[1])
        first, same = (each["segments"][0] for each in (record, whole))
        assert (first["start"], first["label"]) == (same["start"], same["label"])
        with VideoReader(overlay) as reader:
            assert len(list(reader)) == len(images)
        assert plot.stat().st_size > 0


@pytest.mark.parametrize("name", list(UNREADABLE))
def test_a_video_that_cannot_be_read_leaves_nothing_behind(run, exported, videos, tmp_path, name):
    before = sorted(tmp_path.rglob("*"))
    words = ("--model", exported, "--overlay", tmp_path / "seen.mp4", "--plot", tmp_path / "seen.png")
    code, out, faults = run("predict", videos / name, *words)
    assert (code, out, len(faults)) == (1, "", 1)
    for verb, flag in (("bench", "--video"), ("live", "--source")):
        code, out, faults = run(verb, flag, videos / name, "--model", exported, *(["--headless"] * (verb == "live")))
        assert (code, out, len(faults)) == (2, "", 1)
        assert UNREADABLE[name] in faults[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_data_are_prepared_and_scored_as_far_as_they_can_be_read(run, exported, videos, tmp_path, quick_network):
    names = sorted(path.name for path in videos.iterdir())
    with (videos / "manifest.csv").open("w", newline="") as file:
        labelled = ((name, "blue" if name.startswith("z") else "red", "train") for name in names)
        csv.writer(file).writerows([("video", "label", "split"), *labelled])
    words = ("--frame-rate", 12.5, "--image-size", 32, "--no-mirrored")
    code, _, said = run("prepare", "--data", videos, "--run", tmp_path / "run", *words)
    assert code == 1
    assert "skipped 3, damaged in part 1" in said[-1]
    assert len(said) == 5
    asked = ("--split", "all", "--model", exported, "--format", "json")
    code, out, faults = run("evaluate", "--data", videos, *asked)
    assert (code, len(faults)) == (1, 4)
    assert json.loads(out)["num_clips"] == 4


def turned(path, degrees):
    """Tells the header of an MP4 file that its frames are to be turned at display, clockwise."""
    data = bytearray(path.read_bytes())
    a, b = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    place = data.index(b"tkhd") + 4 + 40
    data[place : place + 36] = struct.pack(">9i", a << 16, b << 16, 0, -b << 16, a << 16, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("degrees", [90, 180])
def test_a_video_of_a_phone_held_otherwise_is_seen_and_shown_upright(run, exported, tmp_path, degrees):
    lying = pictures(25, height=160, width=200)
    upright = [np.ascontiguousarray(np.rot90(image, -degrees // 90)) for image in lying]
    words = ("--model", exported, "--format", "json")
    phone = turned(written(tmp_path / "phone.mp4", lying), degrees)
    code, out, faults = run("predict", phone, *words, "--overlay", tmp_path / "seen.mp4")
    assert (code, faults) == (0, [])
    expected = json.loads(run("predict", written(tmp_path / "upright.mp4", upright), *words)[1])
    record = json.loads(out)
    assert [segment["label"] for segment in record["segments"]] == [each["label"] for each in expected["segments"]]
    assert record["scores"] == pytest.approx(expected["scores"], abs=0.02)
    with VideoReader(tmp_path / "seen.mp4") as reader:
        height, width = upright[0].shape[:2]
        assert reader.size == (width, height)
        seen = list(reader)[-1].image.astype(int)
    # What is drawn covers some of the square; of all red pixels most are where it is.
    red = (seen[..., 0] > 150) & (seen[..., 1] < 90) & (seen[..., 2] < 90)
    square = upright[-1][..., 1] < 90
    assert (red & square).sum() > 0.5 * square.sum()
    assert (red & ~square).sum() < 0.2 * square.sum()


def test_a_file_that_was_cut_off_is_labelled_live_up_to_there_and_told(run, exported, videos):
    words = ("--headless", "--no-real-time", "--model", exported)
    code, out, said = run("live", "--source", videos / "cut.mp4", *words)
    assert code == 0
    assert 20 < len(out.splitlines()) < 45
    assert "cut.mp4 is damaged or cut short" in said[0]
    code, out, _ = run("live", "--source", videos / "one.mp4", *words)
    assert (code, len(out.splitlines())) == (0, 1)
