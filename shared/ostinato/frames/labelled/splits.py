"""Which videos are for training and which for validation, where the data do not say."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ostinato.frames.labelled.examples import VideoExample
from ostinato.sequences.folds import assign_splits


def with_splits(examples: Sequence[VideoExample], one_in: int) -> list[VideoExample]:
    """Gives videos without a split to training, and whole groups of them to validation if there are none for it.

    Args:
      examples: of all splits.
      one_in: about one group in so many is for validation; 0 leaves it without.

    Raises:
      DataError: a group is in two splits.
    """
    splits = assign_splits([(each.video, each.group, each.split) for each in examples], one_in)
    return [dataclasses.replace(example, split=split) for example, split in zip(examples, splits, strict=True)]
