"""Splits that never divide a group: two clips of one source, day or person would be training and test at once."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ostinato.errors import DataError


class Fold(NamedTuple):
    """One division of sequences; numbers are places in what was divided."""

    name: str
    train: list[int]
    held_out: list[int]


def group_folds(groups: Sequence[str], num_folds: int, *, seed: int = 0) -> list[Fold]:
    """Divides sequences into folds of similar size: the largest groups first, each to the smallest fold so far.

    Args:
      groups: the group of each sequence.
      num_folds: how many folds.
      seed: decides among groups of one size.

    Raises:
      DataError: there are fewer groups than folds, or fewer than two folds.
    """
    sizes = Counter(groups)
    if not 2 <= num_folds <= len(sizes):
        raise DataError(f"{len(sizes)} groups cannot be divided into {num_folds} folds; ask for 2 to {len(sizes)}")
    generator = np.random.default_rng(seed)
    shuffled = [sorted(sizes)[place] for place in generator.permutation(len(sizes))]
    fold_of: dict[str, int] = {}
    filled = [0] * num_folds
    for group in sorted(shuffled, key=lambda group: -sizes[group]):
        smallest = int(np.argmin(filled))
        fold_of[group] = smallest
        filled[smallest] += sizes[group]
    return [
        hold_out_groups(groups, {group for group in sizes if fold_of[group] == number}, name=f"fold {number + 1}")
        for number in range(num_folds)
    ]


def leave_one_group_out(groups: Sequence[str]) -> list[Fold]:
    """Returns a fold for each group, which holds out that group alone.

    Raises:
      DataError: there is only one.
    """
    if len(set(groups)) < 2:
        raise DataError(f"there is only the group {groups[0] if groups else ''!r}; nothing would be left to train on")
    return [hold_out_groups(groups, {group}, name=group) for group in sorted(set(groups))]


def hold_out_groups(groups: Sequence[str], held_out: set[str], *, name: str = "held out") -> Fold:
    """Returns the fold that holds out these groups.

    Raises:
      DataError: one of them does not occur, or nothing would be left to train on.
    """
    unknown = sorted(held_out - set(groups))
    if unknown or not held_out:
        raise DataError(
            f"there is no group {', '.join(map(repr, unknown)) or 'to hold out'}; the groups are "
            f"{', '.join(sorted(set(groups)))}"
        )
    if held_out == set(groups):
        raise DataError(f"with {', '.join(sorted(held_out))} held out nothing is left to train on; hold out fewer")
    return Fold(
        name,
        [place for place, group in enumerate(groups) if group not in held_out],
        [place for place, group in enumerate(groups) if group in held_out],
    )


def validation_groups(groups: Sequence[str], *, one_in: int = 5) -> set[str]:
    """Chooses about one group in so many for validation, by name: none changes sides when others are added.

    At least one is chosen, and one is left, where there are two or more; none where there is one, or `one_in` is 0.
    """
    names = sorted(set(groups), key=lambda group: (zlib.crc32(group.encode()), group))
    if len(names) < 2 or not one_in:
        return set()
    chosen = {group for group in names if zlib.crc32(group.encode()) % one_in == 0}
    if not chosen:
        return {names[0]}
    return chosen - {names[-1]} if len(chosen) == len(names) else chosen


def assign_splits(sequences: Sequence[tuple[str, str, str]], one_in: int) -> list[str]:
    """Returns the split of each sequence: what has none is for training, and whole groups of it for validation.

    Args:
      sequences: name, group and split of each; the split may be empty.
      one_in: about one group in so many is for validation, if nothing is as yet; 0 leaves it without.

    Raises:
      DataError: a group is in two splits.
    """
    split_of: dict[str, str] = {}
    for name, group, split in sequences:
        before = split_of.setdefault(group, split or "train")
        if (split or "train") != before:
            raise DataError(
                f"group {group!r} is in the splits {before} and {split or 'train'}, as {name} shows; "
                "put the whole group into one"
            )
    if one_in and "dev" not in split_of.values():
        trained = [group for group, split in split_of.items() if split == "train"]
        split_of |= dict.fromkeys(validation_groups(trained, one_in=one_in), "dev")
    return [split_of[group] for _, group, _ in sequences]


def even_folds(groups: Sequence[str], labels: Sequence[int], num_folds: int) -> list[Fold]:
    """Divides a few sequences into folds that each have something of every label, as far as groups allow.

    Groups are dealt out in the order of the first label that each has, as cards are; where all belong to one group,
    each sequence stands for itself.

    Args:
      groups: the group of each sequence.
      labels: the label of each.
      num_folds: how many folds, fewer where there are not so many groups.

    Raises:
      DataError: there are fewer than two sequences.
    """
    if len(set(groups)) < 2:
        groups = [str(place) for place in range(len(groups))]
    first = dict(zip(reversed(groups), reversed(labels), strict=True))
    dealt = sorted(first, key=lambda group: (first[group], zlib.crc32(group.encode())))
    num_folds = min(num_folds, len(dealt))
    if num_folds < 2:
        raise DataError("one sequence alone cannot be divided; record more")
    return [hold_out_groups(groups, set(dealt[part::num_folds]), name=f"fold {part + 1}") for part in range(num_folds)]
