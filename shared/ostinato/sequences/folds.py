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
