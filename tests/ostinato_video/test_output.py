import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from ostinato.errors import ConfigError
from ostinato.frames.timeline import Segment
from ostinato_video.output import FORMATS, output_paths
from ostinato_video.results import VideoResult


def result_of(*segments, damage=None):
    return VideoResult(
        labels=("background", "eat, drink"),
        label="eat, drink",
        confidence=0.61239,
        scores=np.array([0.38761, 0.61239], np.float32),
        segments=segments,
        times=np.arange(7) / 5,
        frame_numbers=np.arange(7),
        frame_scores=np.full((7, 2), 0.5, np.float32),
        frame_rate=5.0,
        damage=damage,
        background="background",
    )


EATS = result_of(Segment(0.2, 0.8, "eat, drink", 0.91), Segment(1.0, 1.4, "eat, drink", 0.5))
IDLES = result_of()


def test_text_says_what_the_clip_is_and_then_when_what_happens():
    lines = FORMATS["text"](1)("a.mp4", EATS).splitlines()
    assert lines[0] == "a.mp4: eat, drink (confidence 0.61)"
    assert lines[1].startswith("  0:00:00.20 - 0:00:00.80  eat, drink")
    assert len(lines) == 3


def test_text_of_several_videos_is_divided_by_empty_lines():
    write = FORMATS["text"](2)
    text = write("a.mp4", EATS) + write("b.mp4", IDLES)
    assert [line.split(":")[0] for line in text.split("\n\n")[:2]] == ["a.mp4", "b.mp4"]
    assert "nothing of note" in text.split("\n\n")[1]


def test_json_is_one_object_a_video():
    write = FORMATS["json"](2)
    eats, idles = (json.loads(line) for line in (write("a.mp4", EATS) + write("b.mp4", IDLES)).splitlines())
    assert eats["video"] == "a.mp4"
    assert (eats["label"], eats["confidence"], eats["duration"]) == ("eat, drink", 0.6124, 1.4)
    assert eats["segments"][0] == {"start": 0.2, "end": 0.8, "label": "eat, drink", "confidence": 0.91}
    assert eats["scores"] == {"background": 0.3876, "eat, drink": 0.6124}
    assert idles["segments"] == []
    assert "damage" not in idles


def test_json_tells_of_damage():
    assert json.loads(FORMATS["json"](1)("a.mp4", result_of(damage="cut short")))["damage"] == "cut short"


def test_csv_is_one_table_of_all_videos():
    write = FORMATS["csv"](3)
    text = write("a,1.mp4", EATS) + write("b.mp4", IDLES) + write("c.mp4", EATS)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["video"] for row in rows] == ["a,1.mp4", "a,1.mp4", "c.mp4", "c.mp4"]
    assert rows[0] == {"video": "a,1.mp4", "start": "0.2", "end": "0.8", "label": "eat, drink", "confidence": "0.91"}


@pytest.mark.parametrize(("name", "beginning"), [("srt", "1\n00:00:00,200 --> "), ("vtt", "WEBVTT\n")])
def test_subtitles_are_of_one_video(name, beginning):
    assert FORMATS[name](1)("a.mp4", EATS).startswith(beginning)
    with pytest.raises(ConfigError, match=f"--format {name} is for one video, and there are 2"):
        FORMATS[name](2)


def test_one_video_gives_one_file_and_several_give_a_folder_of_them(tmp_path):
    assert output_paths(None, ["a.mp4"], ".png", "--plot") == []
    assert output_paths(tmp_path / "x.png", ["a.mp4"], ".png", "--plot") == [tmp_path / "x.png"]
    assert output_paths(tmp_path, ["f/a.mp4"], ".png", "--plot") == [tmp_path / "a.png"]
    several = output_paths(tmp_path / "new", ["f/a.mp4", "g/a.avi", "b.mp4", "a-2.mp4"], ".png", "--plot")
    assert [path.name for path in several] == ["a.png", "a-2.png", "b.png", "a-2-2.png"]


def test_places_that_cannot_be_written_to_are_refused_by_the_flag(tmp_path):
    source = tmp_path / "a.mp4"
    for path, videos, message in [
        (
            tmp_path / "x.avi",
            ["a.mp4"],
            "--overlay .*x.avi is no name for the file that is written; let it end in .mp4",
        ),
        (tmp_path / "x.mp4", ["a.mp4", "b.mp4"], "--overlay .*x.mp4 is one file, and there are 2 videos"),
        (source, [source], "--overlay would overwrite the video"),
        (tmp_path, [source, Path("b.mp4")], "--overlay would overwrite the video"),
    ]:
        with pytest.raises(ConfigError, match=message):
            output_paths(path, videos, ".mp4", "--overlay")
