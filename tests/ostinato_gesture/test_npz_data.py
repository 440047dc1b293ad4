import re

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato_gesture.npz_data import LabelledEvent, read_archive, read_events

FEATURES = np.arange(7 * 3, dtype=np.float16).reshape(7, 3)
GOOD = {"features": FEATURES, "lengths": np.array([2, 4, 1]), "labels": np.array(["wave", "stop", "wave"])}


@pytest.fixture
def archive(tmp_path):
    """A function that writes the good archive with changes, None to leave an array out, and returns its path."""

    def write(**changes):
        arrays = {name: array for name, array in {**GOOD, **changes}.items() if array is not None}
        np.savez(tmp_path / "signs.npz", **arrays)
        return tmp_path / "signs.npz"

    return write


def test_an_archive_is_read_sequence_by_sequence(archive):
    data = read_archive(archive(groups=np.array(["ann", "bob", "ann"]), sessions=np.zeros(9)))
    assert (len(data), data.labels, data.groups) == (3, ("wave", "stop", "wave"), ("ann", "bob", "ann"))
    np.testing.assert_array_equal(data.sequence(1), FEATURES[2:6])
    np.testing.assert_array_equal(data.sequence(2), FEATURES[6:])
    assert data.features.dtype == np.float16


def test_labels_may_be_numbers_or_bytes_and_recordings_need_none(archive):
    assert read_archive(archive(labels=np.array([3, 10, 3]))).labels == ("3", "10", "3")
    assert read_archive(archive(labels=np.array([b"a", "ü".encode(), b"a"]))).labels == ("a", "ü", "a")
    assert read_archive(archive(labels=None)).labels is None


def test_without_groups_each_sequence_is_one_of_its_own(archive):
    assert read_archive(archive()).groups == ("0", "1", "2")
    named = read_archive(archive(names=np.array(["x", "y", "z"])))
    assert (named.names, named.groups) == (("x", "y", "z"), ("x", "y", "z"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": None}, r"has no array 'features' but labels, lengths"),
        ({"lengths": None}, r"has no array 'lengths'"),
        ({"features": FEATURES[0]}, r"features must be numbers \[sum of lengths, D\], they are float16 \[3\]"),
        ({"features": np.zeros((7, 0))}, r"they are float64 \[7, 0\]"),
        ({"features": FEATURES.astype(str)}, r"features must be numbers"),
        ({"lengths": np.array([2.0, 4, 1])}, r"lengths must be whole numbers"),
        ({"lengths": np.array([2, 5, 1])}, r"add up to 8 frames, features have 7"),
        ({"lengths": np.array([7, 0, 0])}, r"sequence 1 has 0 frames"),
        ({"lengths": np.array([4, -1, 4])}, r"sequence 1 has -1 frames"),
        ({"labels": np.array(["wave"])}, r"labels must be \[3\], one a sequence, they are \[1\]"),
        ({"labels": np.array([0.5, 1, 2])}, r"labels must be texts or whole numbers, they are float64"),
        ({"labels": np.array(["a", "", "b"])}, r"sequence 1 has an empty entry in labels"),
        ({"groups": np.array([["ann"] * 3])}, r"groups must be \[3\]"),
        ({"labels": np.array(["a", None, 3], object)}, r"cannot be read as a .npz archive"),
    ],
)
def test_what_does_not_fit_together_is_named(archive, changes, message):
    path = archive(**changes)
    with pytest.raises(DataError, match=message) as error:
        read_archive(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_named_by_their_sequence(archive, value):
    features = FEATURES.copy()
    features[6, 1] = value
    with pytest.raises(DataError, match="1 frames hold values that are infinite or no number, the first in sequence 2"):
        read_archive(archive(features=features))


def test_what_is_no_archive_is_named(archive, tmp_path):
    path = archive()
    contents = path.read_bytes()
    for name, damage in {"cut": contents[: len(contents) // 2], "empty": b"", "text": b"a,b\n1,2\n"}.items():
        (tmp_path / f"{name}.npz").write_bytes(damage)
        with pytest.raises(DataError, match=rf"{name}\.npz cannot be read"):
            read_archive(tmp_path / f"{name}.npz")
    np.save(tmp_path / "one.npy", FEATURES)
    with pytest.raises(DataError, match=r"one\.npy holds a single array"):
        read_archive(tmp_path / "one.npy")
    with pytest.raises(DataError, match=r"gone\.npz does not exist"):
        read_archive(tmp_path / "gone.npz")
    with pytest.raises(DataError, match="is a folder"):
        read_archive(tmp_path)


def events(tmp_path, *lines, header="recording,start_frame,end_frame,label"):
    path = tmp_path / "events.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return read_events(path, {"one": 100, "two": 50, "three": 7})


def test_events_are_sorted_by_recording_and_time(tmp_path):
    found = events(tmp_path, "two,30,40,stop", "one,5,9,wave", 'two,0,12,"wave, twice"')
    assert found == {
        "one": [LabelledEvent(5, 9, "wave")],
        "two": [LabelledEvent(0, 12, "wave, twice"), LabelledEvent(30, 40, "stop")],
        "three": [],
    }


def test_columns_may_come_in_any_order_and_an_end_beyond_the_recording_is_its_end(tmp_path):
    found = events(tmp_path, "x,stop,51,two,44", header="by,label,end_frame,recording,start_frame")
    assert found["two"] == [LabelledEvent(44, 50, "stop")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("four,1,2,wave", "line 3: there is no recording 'four'"),
        ("one,9,9,wave", "line 3: an event must begin before it ends and within the 100 frames of one"),
        ("one,-1,9,wave", "this one goes from -1 to 9"),
        ("one,100,120,wave", "within the 100 frames"),
        ("one,1.5,9,wave", "must be whole numbers, are '1.5' and '9'"),
        ("one,1", "the event has no label"),
    ],
)
def test_an_event_that_lies_in_no_recording_is_named_by_its_line(tmp_path, line, message):
    with pytest.raises(DataError, match=message):
        events(tmp_path, "one,1,2,wave", line)


def test_a_table_without_its_columns_or_that_is_none_is_named(tmp_path):
    with pytest.raises(DataError, match=r"line 1: has no column end_frame, label"):
        events(tmp_path, header="recording,start_frame")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"binary\.csv cannot be read as a table"):
        read_events(tmp_path / "binary.csv", {})
    missing = tmp_path / "gone.csv"
    with pytest.raises(DataError, match=re.escape(f"{missing} does not exist")):
        read_events(missing, {})
