import pytest

from ostinato.errors import DataError
from ostinato.frames.labelled.examples import VideoExample, VideoSegment
from ostinato.frames.labelled.tables import has_segments, read_manifest, read_segments


@pytest.fixture
def table(tmp_path):
    """Writes a table and returns its path."""

    def write(*lines, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return path

    return write


def test_a_table_of_segments_in_seconds_has_one_row_a_segment(table):
    path = table("video,start,end,label,group", "b.mp4,3.5,4.25,wave,anna", "a.mp4,0,1,nod,ben", "b.mp4,1,2,nod,anna")
    assert read_segments(path, "group") == [
        VideoExample(
            str(path.parent / "b.mp4"),
            "anna",
            "",
            segments=(VideoSegment(1.0, 2.0, "nod"), VideoSegment(3.5, 4.25, "wave")),
        ),
        VideoExample(str(path.parent / "a.mp4"), "ben", "", segments=(VideoSegment(0.0, 1.0, "nod"),)),
    ]


def test_a_table_of_segments_in_frames_says_so(table):
    path = table("video,start_frame,end_frame,label", "a.mp4,35,60,walk")
    assert read_segments(path, "group")[0].segments == (VideoSegment(35.0, 60.0, "walk", "frames"),)


def test_groups_may_be_made_of_several_columns(table):
    path = table("video,start,end,label,room,day", "a.mp4,0,1,nod,hall,monday", "b.mp4,0,1,nod,hall,tuesday")
    assert [example.group for example in read_segments(path, "room, day")] == ["hall monday", "hall tuesday"]
    assert [example.group for example in read_segments(path, "room")] == ["hall", "hall"]


def test_what_the_rows_of_a_video_agree_on_is_kept_under_the_name_of_its_column(table):
    head = "video,start,end,label,room,day,note,group,split"
    rows = ("a.mp4,0,1,nod,hall,monday,dark,x,dev", "a.mp4,1,2,nod,hall,monday,,x,dev", "b.mp4,,,,attic,,late,y,")
    segments = read_segments(table(head, *rows), "day")
    assert [each.columns for each in segments] == [
        {"room": "hall", "day": "monday"},
        {"room": "attic", "day": "", "note": "late"},
    ]
    (video,) = read_manifest(table("video,label,room", "a.mp4,nod, hall "), "group")
    assert video.columns == {"room": "hall"}


def test_without_groups_each_video_is_one(table):
    path = table("video,label", "sub/a.mp4,nod", "b.mp4,wave")
    assert [example.group for example in read_manifest(path, "group")] == ["sub/a.mp4", "b.mp4"]


def test_a_video_in_which_nothing_happens_has_a_row_of_its_own(table):
    path = table("video,start,end,label", "quiet.mp4,,,", "a.mp4,0,1,nod")
    assert [len(example.segments) for example in read_segments(path, "group")] == [0, 1]


def test_a_manifest_has_one_row_a_video(table):
    path = table("video,label,split,group", "a.mp4,nod,Train,anna", "b.mp4, wave ,val,ben", "c.mp4,nod,,", "")
    assert read_manifest(path, "group") == [
        VideoExample(str(path.parent / "a.mp4"), "anna", "train", label="nod"),
        VideoExample(str(path.parent / "b.mp4"), "ben", "dev", label="wave"),
        VideoExample(str(path.parent / "c.mp4"), "", "", label="nod"),
    ]


def test_tables_saved_by_spreadsheets_are_read(table):
    path = table("video, label", '"tür, links.mp4",öffnen', encoding="utf-8-sig")
    (example,) = read_manifest(path, "group")
    assert (example.video, example.label) == (str(path.parent / "tür, links.mp4"), "öffnen")


@pytest.mark.parametrize(
    ("header", "segments"),
    [("video,start,end,label", True), ("video,label,start_frame,end_frame", True), ("video,label,start", False)],
)
def test_what_a_table_holds_is_told_by_its_columns(table, header, segments):
    assert has_segments(table(header)) == segments


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["video,start,end,label", "a.mp4,2,1,nod"], "line 2: a segment cannot last from 2 to 1"),
        (["video,start,end,label", "a.mp4,1,1,nod"], "from 1 to 1"),
        (["video,start,end,label", "a.mp4,-1,1,nod"], "from -1"),
        (["video,start,end,label", "a.mp4,0,nan,nod"], "from 0 to nan"),
        (["video,start,end,label", "a.mp4,0,inf,nod"], "from 0 to inf"),
        (["video,start,end,label", "a.mp4,0,1:30,nod"], "must be numbers .*1:30"),
        (["video,start,end,label", "a.mp4,0,1,"], "line 2: a segment needs a label"),
        (["video,start,end,label", "a.mp4,0,1"], "line 2: a segment needs a label"),
        (["video,start,end,label", ",0,1,nod"], "needs a video"),
        (["video,start,end,label,group", "a.mp4,0,1,nod,x", "a.mp4,2,3,nod,y"], "line 3: a.mp4 was in group 'x'"),
        (["video,start,end,label,split", "a.mp4,0,1,nod,left"], "no split 'left'"),
        (["video,start,end", "a.mp4,0,1"], "must have the columns video and label, has: video, start, end"),
        (["video,label", "a.mp4,nod"], "columns start and end"),
    ],
)
def test_a_segment_that_cannot_be_is_refused_with_its_line(table, lines, named):
    with pytest.raises(DataError, match=named):
        read_segments(table(*lines), "group")


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["video,label", "a.mp4,"], "line 2: a row needs a label"),
        (["video,label", "a.mp4,nod", "a.mp4,wave"], "line 3: a.mp4 is there twice"),
        (["clip,label", "a.mp4,nod"], "must have the columns video and label, has: clip, label"),
        ([""], "has: none"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused_with_its_line(table, lines, named):
    with pytest.raises(DataError, match=named):
        read_manifest(table(*lines), "group")


def test_a_column_to_group_by_must_be_there(table):
    with pytest.raises(DataError, match="no column 'day' to group by, has: video, label"):
        read_manifest(table("video,label", "a.mp4,nod"), "day")


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_bytes(b"video,label\n\xff\xfe\x00,nod\n")
    with pytest.raises(DataError, match="is no CSV file in UTF-8"):
        read_manifest(path, "group")
