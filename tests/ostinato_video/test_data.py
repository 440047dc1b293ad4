import pytest

from ostinato.errors import DataError
from ostinato.frames.labelled import VideoExample, check_videos, detect_layout
from ostinato_video.data import read_examples, select_split


@pytest.fixture
def data(tmp_path):
    """A data set that has every layout at once."""
    (tmp_path / "segments.csv").write_text("video,start,end,label\na.mp4,0,1,nod\n")
    (tmp_path / "manifest.csv").write_text("video,label,split\nb.mp4,wave,train\nc.mp4,nod,test\n")
    (tmp_path / "wave").mkdir()
    (tmp_path / "wave" / "d.mp4").touch()
    return tmp_path


def names(examples):
    return [example.video.rpartition("/")[2] for example in examples]


def test_each_layout_can_be_asked_for(data):
    assert names(read_examples(data, "segments")) == ["a.mp4"]
    assert names(read_examples(data, "manifest")) == ["b.mp4", "c.mp4"]
    assert names(read_examples(data, "folders")) == ["d.mp4"]


def test_the_layout_that_says_most_is_found_first(data):
    assert detect_layout(data) == "segments"
    (data / "segments.csv").unlink()
    assert detect_layout(data) == "manifest"
    (data / "manifest.csv").unlink()
    assert detect_layout(data) == "folders"


def test_a_table_may_be_named_itself_whatever_it_is_called(data):
    (data / "segments.csv").rename(data / "monday.csv")
    (data / "manifest.csv").rename(data / "clips.csv")
    assert names(read_examples(data / "monday.csv")) == ["a.mp4"]
    assert names(read_examples(data / "clips.csv")) == ["b.mp4", "c.mp4"]


@pytest.mark.parametrize(
    ("layout", "named"),
    [
        (None, "has no segments.csv, manifest.csv or folders"),
        ("manifest", "no manifest.csv"),
        ("folders", "no labelled"),
    ],
)
def test_an_empty_folder_is_refused(tmp_path, layout, named):
    with pytest.raises(DataError, match=named):
        read_examples(tmp_path, layout)


def test_a_table_without_rows_is_refused(tmp_path):
    (tmp_path / "manifest.csv").write_text("video,label\n")
    with pytest.raises(DataError, match="holds no labelled videos"):
        read_examples(tmp_path)


def test_data_that_are_missing_and_layouts_that_do_not_exist_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"there is no folder .*nowhere; give the data set with --data"):
        read_examples(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no layout 'zip'; use one of segments, manifest"):
        read_examples(tmp_path, "zip")


def test_a_file_is_no_folder_of_labels(data):
    with pytest.raises(DataError, match="is no folder"):
        read_examples(data / "manifest.csv", "folders")


def test_splits_are_chosen_by_name(data):
    examples = read_examples(data, "manifest")
    assert names(select_split(examples, "test")) == ["c.mp4"]
    assert select_split(examples, "all") == examples
    with pytest.raises(DataError, match="split 'dev'; use one of: all, test, train"):
        select_split(examples, "dev")


def test_videos_that_are_all_missing_are_told_of_once(data):
    missing = VideoExample("gone.mp4", "x", "", label="nod")
    with pytest.raises(DataError, match=r"none of the 2 videos is there, such as gone\.mp4"):
        check_videos([missing, missing])
    check_videos([missing, *read_examples(data, "folders")])
