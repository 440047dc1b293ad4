"""Which videos are for training and which for validation, where the data do not say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ostinato.errors import DataError
from ostinato.sequences.folds import validation_groups
from ostinato_video.examples import VideoExample


def with_splits(examples: Sequence[VideoExample], one_in: int) -> list[VideoExample]:
    """Gives videos without a split to training, and whole groups of them to validation if there are none for it.

    Args:
      examples: of all splits.
      one_in: about one group in so many is for validation; 0 leaves it without.

    Raises:
      DataError: a group is in two splits.
    """
    named = [dataclasses.replace(example, split=example.split or "train") for example in examples]
    split_of: dict[str, str] = {}
    for example in named:
        split = split_of.setdefault(example.group, example.split)
        if split != example.split:
            raise DataError(
                f"group {example.group!r} is in the splits {split} and {example.split}, as {example.video} shows; "
                "put the whole group into one"
            )
    if one_in == 0 or "dev" in split_of.values():
        return named
    held_out = validation_groups([group for group, split in split_of.items() if split == "train"], one_in=one_in)
    return [dataclasses.replace(example, split="dev") if example.group in held_out else example for example in named]
