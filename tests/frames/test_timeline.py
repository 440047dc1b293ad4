import csv
import io
import json
import re

import pytest

from ostinato.frames.timeline import WRITERS, Segment, clock_time

WALK = Segment(0.5, 3.25, "walk", 0.875)
LATE = Segment(3661.0416, 36000.9996, "sit", 1 / 3)
ODD = Segment(7, 9, 'a <b> & "c" --> d,\r\n\u2028e', 1.0)


def test_there_is_a_writer_for_each_format_and_every_one_ends_its_last_line():
    assert sorted(WRITERS) == ["csv", "json", "srt", "text", "vtt"]
    for write in WRITERS.values():
        assert write([WALK, LATE, ODD]).endswith("\n")


def test_segments_may_come_from_a_generator():
    for write in WRITERS.values():
        assert write(segment for segment in (WALK, LATE)) == write([WALK, LATE])


def test_an_empty_timeline_is_a_valid_file_of_each_format():
    assert {name: write([]) for name, write in WRITERS.items()} == {
        "text": "",
        "json": "",
        "csv": "start,end,label,confidence\n",
        "srt": "",
        "vtt": "WEBVTT\n",
    }


def test_text_has_a_line_for_each_segment():
    assert WRITERS["text"]([WALK, LATE]).splitlines() == [
        "0:00:00.50 - 0:00:03.25  walk  (confidence 0.88)",
        "1:01:01.04 - 10:00:01.00  sit   (confidence 0.33)",
    ]
    assert len(WRITERS["text"]([ODD]).splitlines()) == 1


def test_json_has_an_object_for_each_line_and_labels_as_they_are():
    objects = [json.loads(line) for line in WRITERS["json"]([WALK, ODD]).split("\n")[:-1]]
    assert objects[0] == {"start": 0.5, "end": 3.25, "label": "walk", "confidence": 0.875}
    assert objects[1]["label"] == ODD.label


def test_csv_comes_back_as_it_was():
    rows = list(csv.DictReader(io.StringIO(WRITERS["csv"]([WALK, LATE, ODD]), newline="")))
    assert [row["label"] for row in rows] == ["walk", "sit", ODD.label]
    assert [float(row["end"]) for row in rows] == [3.25, 36001.0, 9.0]
    assert float(rows[1]["confidence"]) == pytest.approx(1 / 3, abs=1e-4)


def test_srt_has_numbered_cues_with_times_above_an_hour():
    assert WRITERS["srt"]([WALK, LATE]) == (
        "1\n00:00:00,500 --> 00:00:03,250\nwalk (88 %)\n\n2\n01:01:01,042 --> 10:00:01,000\nsit (33 %)\n\n"
    )


def test_vtt_begins_with_its_name_and_parts_cues_by_empty_lines():
    assert WRITERS["vtt"]([WALK, LATE]) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:03.250\nwalk (88 %)\n\n01:01:01.042 --> 10:00:01.000\nsit (33 %)\n"
    )


def test_no_label_can_be_taken_for_a_tag_a_line_of_times_or_the_end_of_a_cue():
    for name, expected in (
        ("srt", 'a \u2039b\u203a & "c" \u2192 d, e (100 %)'),
        ("vtt", 'a &lt;b&gt; &amp; "c" --&gt; d, e (100 %)'),
    ):
        written = WRITERS[name]([ODD, WALK])
        assert expected in written.splitlines()
        assert len(re.findall("-->", written)) == 2
        assert "<" not in written


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_a_cue_ends_after_it_starts_also_where_a_segment_does_not(name):
    line = next(line for line in WRITERS[name]([Segment(2, 2.0001, "x", 0.5)]).splitlines() if "-->" in line)
    start, end = line.replace(",", ".").split(" --> ")
    assert start < end


@pytest.mark.parametrize(("start", "end"), [(3, 2), (-1, 2), (float("nan"), 2), (0, float("inf"))])
def test_a_segment_that_cannot_be_is_refused(start, end):
    with pytest.raises(ValueError, match="cannot last"):
        Segment(start, end, "walk", 0.5)


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0:00:00.00"), (59.996, "0:01:00.00"), (3599.999, "1:00:00.00"), (7.5, "0:00:07.50")]
)
def test_clock_times_carry_over_when_they_are_rounded(seconds, written):
    assert clock_time(seconds) == written
