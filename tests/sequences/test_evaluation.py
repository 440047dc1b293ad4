import pytest

from ostinato.errors import DataError
from ostinato.sequences.evaluation import choose_folds, groups_of
from ostinato.sequences.store import SequenceRecord


def record(group, **columns):
    return SequenceRecord(f"{group}.mp4", group, "train", 0, 9, columns=columns)


RECORDS = [
    record("monday", room="hall", day="monday"),
    record("tuesday", room="attic", day="tuesday", note="dark"),
    record("tuesday", room="hall", day="tuesday"),
]


def test_sequences_belong_to_the_groups_they_were_prepared_with_or_to_those_of_other_columns():
    assert groups_of(RECORDS, "group") == ["monday", "tuesday", "tuesday"]
    assert groups_of(RECORDS, "room") == ["hall", "attic", "hall"]
    assert groups_of(RECORDS, "room, day") == ["hall monday", "attic tuesday", "hall tuesday"]


@pytest.mark.parametrize("column", ["note", "camera", "room,camera", ","])
def test_a_column_that_is_not_known_of_all_is_refused_and_the_others_are_named(column):
    with pytest.raises(DataError, match=r"--group-by: .* but day, room; name one of these"):
        groups_of(RECORDS, column)


def test_of_data_without_further_columns_none_can_be_named():
    with pytest.raises(DataError, match="no column 'room' of its sequences, but none at all"):
        groups_of([record("monday")], "room")


def test_named_groups_are_held_out_once():
    (fold,) = choose_folds(["hall", "attic", "hall", "cellar"], 0, "attic, cellar")
    assert (fold.train, fold.held_out) == ([0, 2], [1, 3])
    assert [each.name for each in choose_folds(["hall", "attic", "hall"], 0, "")] == ["attic", "hall"]
    with pytest.raises(DataError, match="--hold-out: there is no group 'moon'; the groups are attic, hall"):
        choose_folds(["hall", "attic"], 0, "moon")
