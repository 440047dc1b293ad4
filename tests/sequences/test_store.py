import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.errors import DataError
from ostinato.sequences import UNLABELLED, SequenceStore, SequenceWriter

FIRST = np.arange(15).reshape(5, 3)
SECOND = np.arange(6).reshape(2, 3) - 7.0


def within(folder, action):
    """Does something with a writer in its context."""
    with SequenceWriter(SequenceStore(folder)) as writer:
        action(writer)


def write(writer, features, **options):
    writer.append(features)
    writer.end_sequence("a", group="b", split="train", **options)


@pytest.fixture
def store(write_store, tmp_path):
    return write_store(
        tmp_path,
        [
            {"name": "clip ß", "features": FIRST, "label": 1, "group": "Ann"},
            {"features": SECOND, "frame_labels": np.array([0, UNLABELLED]), "split": "dev"},
        ],
    )


def test_a_store_keeps_what_else_is_said_of_a_sequence_and_reads_one_of_which_nothing_is(store, write_store, tmp_path):
    said = write_store(tmp_path / "said", [{"features": FIRST, "columns": {"room": "hall"}}, {"features": SECOND}])
    assert [record.columns for record in SequenceStore(said.folder).records] == [{"room": "hall"}, {}]
    path = store.records_path
    path.write_text(path.read_text().replace(', "columns": {}', ""))
    assert [record.columns for record in SequenceStore(store.folder).records] == [{}, {}]


def test_a_store_gives_back_what_was_written_into_it(store):
    again = SequenceStore(store.folder)
    assert_array_equal(again.features_of(0), FIRST)
    assert_array_equal(again.features_of(1), SECOND)
    assert_array_equal(again.labels_of(1), [0, UNLABELLED])
    assert [(each.name, each.group, each.label, each.num_frames) for each in again.records] == [
        ("clip ß", "Ann", 1, 5),
        ("clip 1", "nobody", UNLABELLED, 2),
    ]
    assert (again.feature_size, again.rows("dev"), again.rows("all"), again.rows("test")) == (3, [1], [0, 1], [])


def test_frames_have_the_label_of_their_clip_or_their_own(store):
    assert_array_equal(store.truth_of(0), [1] * 5)
    assert_array_equal(store.truth_of(1), [0, UNLABELLED])
    assert not store.has_frame_labels([0])
    assert store.has_frame_labels([0, 1])


def test_a_sequence_may_be_written_in_pieces(tmp_path):
    store = SequenceStore(tmp_path)
    with SequenceWriter(store) as writer:
        for piece in (FIRST[:1], FIRST[1:4], FIRST[4:]):
            writer.append(piece)
        assert writer.end_sequence("a", group="b", split="train").num_frames == 5
    assert_array_equal(store.features_of(0), FIRST)


def test_means_and_deviations_are_those_of_all_frames_asked_for(store):
    mean, deviation = store.mean_and_deviation([0, 1])
    assert_allclose(mean, np.concatenate([FIRST, SECOND]).mean(axis=0), rtol=1e-6)
    assert_allclose(deviation, np.concatenate([FIRST, SECOND]).std(axis=0), rtol=1e-6)
    assert_allclose(store.mean_and_deviation([1])[0], SECOND.mean(axis=0), rtol=1e-6)


def test_numbers_beyond_float16_are_held_at_its_end_so_that_means_stay_finite(write_store, tmp_path):
    store = write_store(tmp_path, [{"features": np.array([[1e9, -1e9, 1.0]])}])
    assert_array_equal(store.features_of(0), [[65504, -65504, 1]])


def test_nothing_has_its_name_before_everything_is_written(tmp_path):
    def interrupted(writer):
        write(writer, FIRST)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        within(tmp_path, interrupted)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("labels", [np.zeros(4, int), np.zeros(6, int)])
def test_there_is_a_label_for_each_frame(tmp_path, labels):
    with pytest.raises(ValueError, match=f"5 frames and {len(labels)} labels"):
        within(tmp_path, lambda writer: write(writer, FIRST, frame_labels=labels))


def test_a_sequence_without_frames_cannot_be_ended(tmp_path):
    with pytest.raises(ValueError, match="0 frames"):
        within(tmp_path, lambda writer: writer.end_sequence("a", group="b", split="train"))


def test_a_sequence_that_is_not_ended_spoils_no_store(tmp_path):
    with pytest.raises(ValueError, match="not ended"):
        within(tmp_path, lambda writer: writer.append(FIRST))
    assert list(tmp_path.iterdir()) == []


def test_all_frames_have_as_many_features(tmp_path):
    with pytest.raises(ValueError, match="2 features, those before 3"):
        within(tmp_path, lambda writer: (writer.append(FIRST), writer.append(FIRST[:, :2])))


def test_a_store_that_is_not_there_or_empty_says_so(write_store, tmp_path):
    with pytest.raises(DataError, match=r"nowhere.*prepare a new run"):
        _ = SequenceStore(tmp_path / "nowhere").records
    empty = write_store(tmp_path, [])
    assert empty.records == []
    with pytest.raises(DataError, match="prepare a new run"):
        _ = empty.features


@pytest.mark.parametrize("name", ["features.npy", "frame_labels.npy", "sequences.jsonl"])
@pytest.mark.parametrize("damage", ["cut", "absent"])
def test_a_damaged_store_says_which_file_is(store, name, damage):
    path = store.folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) - 1])
    again = SequenceStore(store.folder)
    if name == "sequences.jsonl" and damage == "cut":
        path.write_bytes(content[:-9])
    with pytest.raises(DataError, match=name):
        again.features_of(1), again.labels_of(1)


def test_a_store_whose_files_are_of_different_runs_is_not_read(store, write_store, tmp_path):
    other = write_store(tmp_path / "other", [{"features": np.ones((4, 3))}])
    other.records_path.replace(store.records_path)
    again = SequenceStore(store.folder)
    with pytest.raises(DataError, match="21 numbers for 4 frames"):
        _ = again.features
    with pytest.raises(DataError, match="7 labels for 4 frames"):
        _ = again.frame_labels
