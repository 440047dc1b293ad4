import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato_gesture.data import read_data, select_split


def write_archive(path, lengths, size=3, **arrays):
    features = np.arange(sum(lengths) * size, dtype=np.float32).reshape(-1, size)
    np.savez(path, features=features, lengths=np.array(lengths), **arrays)
    return path


def write_events(path, *rows):
    path.write_text("recording,start_frame,end_frame,label\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_clips_of_an_archive_have_their_features_label_and_group(tmp_path):
    path = write_archive(
        tmp_path / "glove.npz", [2, 3], labels=np.array(["wave", "nod"]), groups=np.array(["ann", "ben"])
    )
    first, second = read_data(path)
    assert (first.name, first.group, first.label) == ("glove.npz:0", "ann", "wave")
    assert (second.name, second.group, second.label) == ("glove.npz:1", "ben", "nod")
    assert second.features.tolist() == np.arange(6, 15).reshape(3, 3).tolist()


def test_sequences_of_one_group_may_be_divided_where_each_stands_for_itself(tmp_path):
    path = write_archive(tmp_path / "glove.npz", [2, 3], labels=np.array(["wave", "nod"]), groups=np.array(["ann"] * 2))
    assert [each.group for each in read_data(path, group_by="name")] == ["0", "1"]
    with pytest.raises(DataError, match="--group-by signer"):
        read_data(path, group_by="signer")


def test_recordings_come_behind_the_clips_with_their_events(tmp_path):
    clips = write_archive(tmp_path / "clips.npz", [2], labels=np.array(["wave"]))
    recordings = write_archive(tmp_path / "long.npz", [7, 5], names=np.array(["one", "two"]))
    events = write_events(tmp_path / "events.csv", "two,1,3,wave")
    clip, one, two = read_data(clips, recordings=recordings, events=events)
    assert (clip.label, one.label, two.label) == ("wave", None, None)
    assert one.events == ()
    assert [(event.start, event.end, event.label) for event in two.events] == [(1, 3, "wave")]


def test_events_tell_more_than_the_labels_of_an_archive(tmp_path):
    path = write_archive(tmp_path / "long.npz", [7], labels=np.array(["wave"]), names=np.array(["one"]))
    (one,) = read_data(path, events=write_events(tmp_path / "events.csv", "one,1,3,nod"))
    assert one.label is None
    assert one.events[0].label == "nod"


def test_archives_must_say_what_they_show(tmp_path):
    path = write_archive(tmp_path / "long.npz", [7])
    with pytest.raises(DataError, match=r"no array 'labels'.*--events"):
        read_data(path)
    clips = write_archive(tmp_path / "clips.npz", [2], labels=np.array(["wave"]))
    with pytest.raises(DataError, match=r"long\.npz has no labels.*--events"):
        read_data(clips, recordings=path)


def test_archives_of_different_sensors_do_not_go_together(tmp_path):
    clips = write_archive(tmp_path / "clips.npz", [2], labels=np.array(["wave"]))
    recordings = write_archive(tmp_path / "long.npz", [7], size=5, names=np.array(["one"]))
    with pytest.raises(DataError, match=r"3 features a frame and .* 5"):
        read_data(clips, recordings=recordings, events=write_events(tmp_path / "events.csv"))


def test_events_of_videos_are_refused(tmp_path):
    with pytest.raises(DataError, match="leave them out"):
        read_data(tmp_path, events=tmp_path / "events.csv")


def test_a_split_that_is_not_there_is_named_with_those_that_are(tmp_path):
    data = read_data(write_archive(tmp_path / "a.npz", [2], labels=np.array(["wave"])))
    assert select_split(data, "all") == data
    with pytest.raises(DataError, match="'dev'; use one of: all"):
        select_split(data, "dev")
