"""Items that can be asked together in one call."""

from collections.abc import Mapping, Sequence

import numpy as np

Arrays = Mapping[str, np.ndarray]


def groups_of_one_kind(items: Sequence[Arrays]) -> list[list[Arrays]]:
    """Groups items, each with a batch dimension of 1, by their shapes and settings: only such can share a call."""
    groups: dict[tuple[object, ...], list[Arrays]] = {}
    for item in items:
        kind = tuple((key, item[key].shape or item[key].item()) for key in sorted(item))
        groups.setdefault(kind, []).append(item)
    return list(groups.values())


def all_same(group: Sequence[Arrays]) -> bool:
    """Whether nothing can be seen from these items together: what leaks from one to its twin does not show."""
    return all(np.array_equal(item[key], group[0][key]) for item in group for key in item)


def together(group: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Returns the items of a group as one batch; settings, which are scalar, as they are."""
    first = group[0]
    return {key: np.concatenate([item[key] for item in group]) if first[key].ndim else first[key] for key in first}


def row(batch: Arrays, index: int) -> dict[str, np.ndarray]:
    """Returns one item of the outputs of a batch, its batch dimension kept."""
    return {key: value[index : index + 1] for key, value in batch.items()}
