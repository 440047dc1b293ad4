import json

import numpy as np
import pytest

from ostinato.errors import ConfigError
from ostinato_gesture.output import FORMATS
from ostinato_gesture.results import Event, GestureResult


def result_of(*events, **kwargs):
    return GestureResult(
        labels=("none", "wave"),
        label="wave",
        confidence=0.75,
        scores=np.array([0.25, 0.75], np.float32),
        events=events,
        times=np.arange(5) / 10,
        frame_scores=np.zeros((5, 2), np.float32),
        frame_rate=10.0,
        **kwargs,
    )


WAVE = Event(0.1, 0.4, "wave", 0.9)


def test_text_names_the_whole_and_each_event():
    assert FORMATS["text"](1)("a.mp4", result_of(WAVE)) == (
        "a.mp4: wave (confidence 0.75)\n  0:00:00.10 - 0:00:00.40  wave  (confidence 0.90)\n"
    )
    assert FORMATS["text"](2)("a.mp4", result_of()) == "a.mp4: wave (confidence 0.75)\n  no event\n\n"


def test_json_is_one_object_a_line():
    text = FORMATS["json"](1)("a.mp4", result_of(WAVE, hand_share=0.5, damage="cut"))
    assert json.loads(text) == {
        "recording": "a.mp4",
        "label": "wave",
        "confidence": 0.75,
        "duration": 0.5,
        "events": [{"start": 0.1, "end": 0.4, "label": "wave", "confidence": 0.9}],
        "scores": {"none": 0.25, "wave": 0.75},
        "hand_share": 0.5,
        "damage": "cut",
    }
    assert text.count("\n") == 1


def test_csv_is_one_table_of_all_recordings():
    write = FORMATS["csv"](2)
    assert write("a.mp4", result_of(WAVE)) + write("b.mp4", result_of(WAVE)) == (
        "recording,start,end,label,confidence\na.mp4,0.1,0.4,wave,0.9\nb.mp4,0.1,0.4,wave,0.9\n"
    )


def test_subtitles_are_of_one_recording():
    assert "00:00:00,100 --> 00:00:00,400\nwave" in FORMATS["srt"](1)("a.mp4", result_of(WAVE))
    with pytest.raises(ConfigError, match="is for one video, and there are 3"):
        FORMATS["srt"](3)
