from collections import Counter

import pytest

from ostinato.errors import DataError
from ostinato.sequences import group_folds, hold_out_groups, leave_one_group_out, validation_groups
from ostinato.sequences.folds import assign_splits, even_folds

GROUPS = [*"aaaaaaa", *"bbbbb", *"ccc", *"ddd", "e", "f"]


@pytest.mark.parametrize("num_folds", [2, 3, 6])
def test_every_sequence_is_held_out_once_and_no_group_is_divided(num_folds):
    folds = group_folds(GROUPS, num_folds)
    assert sorted(place for fold in folds for place in fold.held_out) == list(range(len(GROUPS)))
    for fold in folds:
        assert sorted([*fold.train, *fold.held_out]) == list(range(len(GROUPS)))
        assert not {GROUPS[place] for place in fold.train} & {GROUPS[place] for place in fold.held_out}
    assert len({fold.name for fold in folds}) == num_folds


def test_folds_are_of_similar_size():
    assert sorted(len(fold.held_out) for fold in group_folds(GROUPS, 3)) == [6, 7, 7]


def test_the_order_of_the_sequences_does_not_move_a_group_to_another_fold():
    def held_out(groups, seed=4):
        return [{groups[place] for place in fold.held_out} for fold in group_folds(groups, 3, seed=seed)]

    assert held_out(GROUPS) == held_out(GROUPS[::-1])
    assert any(held_out("abcdef") != held_out("abcdef", seed=seed) for seed in range(5))


@pytest.mark.parametrize("num_folds", [0, 1, 7])
def test_there_are_two_folds_or_more_and_no_more_than_groups(num_folds):
    with pytest.raises(DataError, match=rf"6 groups cannot be divided into {num_folds} folds; ask for 2 to 6"):
        group_folds(GROUPS, num_folds)


def test_each_group_is_left_out_once():
    folds = leave_one_group_out(["b", "a", "b", "c"])
    assert [(fold.name, fold.train, fold.held_out) for fold in folds] == [
        ("a", [0, 2, 3], [1]),
        ("b", [1, 3], [0, 2]),
        ("c", [0, 1, 2], [3]),
    ]


@pytest.mark.parametrize("groups", [[], ["a", "a"]])
def test_one_group_cannot_be_left_out(groups):
    with pytest.raises(DataError, match="nothing would be left to train on"):
        leave_one_group_out(groups)


def test_named_groups_are_held_out_for_the_others():
    assert hold_out_groups(["room 1", "room 2", "room 1"], {"room 2"}, name="room 2") == ("room 2", [0, 2], [1])


@pytest.mark.parametrize(
    ("held_out", "fault"),
    [({"x"}, "no group 'x'; the groups are a, b"), (set(), "the groups are a, b"), ({"a", "b"}, "nothing is left")],
)
def test_groups_that_cannot_be_held_out_are_named(held_out, fault):
    with pytest.raises(DataError, match=fault):
        hold_out_groups(["a", "b"], held_out)


def test_about_one_group_in_five_validates_and_stays_there_when_others_come():
    names = [f"person {number}" for number in range(200)]
    chosen = validation_groups(names)
    assert 25 < len(chosen) < 55
    assert validation_groups(names[:150]) == chosen & set(names[:150])
    assert Counter(names)[min(chosen)] == 1


@pytest.mark.parametrize(("groups", "count"), [(["a", "b"], 1), (["a"], 0), ([], 0)])
def test_of_two_groups_one_validates_and_of_one_none(groups, count):
    for one_in in (1, 5, 1000):
        assert len(validation_groups(groups, one_in=one_in)) == count


def test_no_group_validates_where_none_is_wanted():
    assert validation_groups(["a", "b", "c"], one_in=0) == set()


def test_sequences_without_a_split_are_for_training_and_whole_groups_of_them_for_validation():
    sequences = [(f"clip {number}", f"day {number % 7}", "") for number in range(21)]
    splits = assign_splits(sequences, 3)
    assert set(splits) == {"train", "dev"}
    assert len({(group, split) for (_, group, _), split in zip(sequences, splits, strict=True)}) == 7
    assert assign_splits(sequences, 0) == ["train"] * 21
    named = [("a", "x", "test"), ("b", "y", "dev"), ("c", "z", "")]
    assert assign_splits(named, 2) == ["test", "dev", "train"]
    with pytest.raises(DataError, match="group 'x' is in the splits test and train, as b shows"):
        assign_splits([("a", "x", "test"), ("b", "x", "")], 0)


def test_a_few_clips_are_dealt_out_so_that_each_fold_has_every_label():
    labels = [0, 0, 0, 1, 1, 1, 2, 2, 2]
    folds = even_folds([f"clip {number}" for number in range(9)], labels, 3)
    assert [sorted(labels[place] for place in fold.held_out) for fold in folds] == [[0, 1, 2]] * 3
    assert sorted(place for fold in folds for place in fold.held_out) == list(range(9))


def test_clips_of_one_person_are_divided_and_those_of_several_stay_together():
    assert len(even_folds(["ann"] * 6, [0, 1] * 3, 3)) == 3
    groups = ["ann", "ben", "ann", "ben", "eve", "eve"]
    folds = even_folds(groups, [0, 1] * 3, 5)
    assert len(folds) == 3
    assert all(len({groups[place] for place in fold.held_out}) == 1 for fold in folds)
    with pytest.raises(DataError, match="record more"):
        even_folds(["ann"], [0], 3)
