from collections import defaultdict

import pytest

from ostinato.errors import DataError
from ostinato.frames.labelled.examples import VideoExample
from ostinato.frames.labelled.splits import with_splits


def examples_of(*groups_and_splits):
    return [
        VideoExample(f"{number}.mp4", group, split, label="nod")
        for number, (group, split) in enumerate(groups_and_splits)
    ]


def test_whole_groups_are_kept_for_validation():
    examples = with_splits(examples_of(*[(f"day {number % 11}", "") for number in range(37)]), 3)
    splits = defaultdict(set)
    for example in examples:
        splits[example.group].add(example.split)
    assert all(len(of_group) == 1 for of_group in splits.values())
    assert {split for of_group in splits.values() for split in of_group} == {"train", "dev"}


def test_a_group_stays_where_it_is_when_others_are_added():
    few = with_splits(examples_of(*[(f"day {number}", "") for number in range(20)]), 4)
    many = with_splits(examples_of(*[(f"day {number}", "") for number in range(60)]), 4)
    assert [example.split for example in many[:20]] == [example.split for example in few]


def test_splits_that_the_data_name_are_kept():
    examples = with_splits(examples_of(("a", "train"), ("b", "dev"), ("c", "test"), ("d", "")), 2)
    assert [example.split for example in examples] == ["train", "dev", "test", "train"]


def test_the_test_split_is_no_place_to_take_validation_from():
    examples = with_splits(examples_of(("a", ""), ("b", ""), ("c", "test"), ("d", "test")), 2)
    assert [example.split for example in examples[2:]] == ["test", "test"]
    assert sorted(example.split for example in examples[:2]) == ["dev", "train"]


def test_nothing_is_kept_for_validation_where_nobody_wants_it_or_there_is_one_group():
    assert {example.split for example in with_splits(examples_of(("a", ""), ("b", "")), 0)} == {"train"}
    assert {example.split for example in with_splits(examples_of(("a", ""), ("a", "")), 5)} == {"train"}


def test_a_group_in_two_splits_is_refused():
    with pytest.raises(DataError, match=r"group 'a' is in the splits train and test, as 2\.mp4 shows"):
        with_splits(examples_of(("a", ""), ("b", "test"), ("a", "test")), 5)
