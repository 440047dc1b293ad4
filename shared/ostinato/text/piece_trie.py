"""The pieces of a vocabulary as a trie in flat arrays, which a TensorFlow graph can walk by gathering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

DEAD, _ROOT, _FREE = 0, 1, -1
_CANDIDATES = 512  # places tried at once for the children of a node


@dataclass(frozen=True)
class PieceTrie:
    """A double-array trie that reads pieces from their last character to their first.

    From state `s`, the character of class `c` leads to `base[s] + c` if `parent[base[s] + c] == s`, and else nowhere:
    to `DEAD`, which nothing leaves. Read backwards, a trie gives at each place of a text all pieces that *end* there,
    which is how the best segmentation is computed.

    Attributes:
      alphabet: int32 [A], the code points of all pieces, ascending; the class of a character is its place there plus
        one, and 0 for all others.
      base: int32 [S].
      parent: int32 [S + A], longer so that a sum never leaves it.
      piece_ids: int32 [S], the piece that ends in a state, or -1.
      depth: characters of the longest piece.

    Reference: Aoe 1989, An efficient digital search algorithm by using a double-array structure.
    """

    alphabet: np.ndarray
    base: np.ndarray
    parent: np.ndarray
    piece_ids: np.ndarray
    depth: int

    root = _ROOT

    @classmethod
    def of(cls, pieces: Mapping[str, int]) -> PieceTrie:
        """Builds the trie of pieces and their ids; no piece may be empty."""
        alphabet = sorted({character for piece in pieces for character in piece})
        classes = {character: place for place, character in enumerate(alphabet, start=1)}
        children: list[dict[int, int]] = [{}]  # of each node, by class
        ids = [-1]
        for piece, piece_id in pieces.items():
            node = 0
            for character in reversed(piece):
                node = children[node].setdefault(classes[character], len(children))
                if node == len(children):
                    children.append({})
                    ids.append(-1)
            ids[node] = piece_id
        bases, states = _placed(children, len(alphabet))
        size = int(states.max()) + 1
        base, piece_ids = np.zeros(size, np.int32), np.full(size, -1, np.int32)
        base[states], piece_ids[states] = bases, ids
        parent = np.full(max(size, int(bases.max()) + 1) + len(alphabet), _FREE, np.int32)
        for node, of_node in enumerate(children):
            parent[states[list(of_node.values())]] = states[node]
        code_points = np.array([ord(character) for character in alphabet], np.int32)
        return cls(code_points, base, parent, piece_ids, max(map(len, pieces), default=0))


def _placed(children: list[dict[int, int]], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns base and state of every node, int [nodes], such that no two nodes share a state.

    Nodes with many children are hard to place and come first; those with one child fill the gaps.
    """
    bases, states = np.zeros(len(children), np.int64), np.zeros(len(children), np.int64)
    states[0] = _ROOT
    used = np.zeros(2 * len(children) + 2 * classes + 2, bool)
    used[: _ROOT + 1] = True
    order = sorted((node for node in range(len(children)) if len(children[node]) > 1), key=lambda n: -len(children[n]))
    for node in order:
        wanted = np.array(sorted(children[node]))
        while (base := _first_fit(used, wanted)) is None:
            used = np.concatenate([used, np.zeros_like(used)])
        used[base + wanted] = True
        bases[node] = base
        states[list(children[node].values())] = base + np.array(list(children[node]))
    single = [node for node in range(len(children)) if len(children[node]) == 1]
    gaps = np.flatnonzero(~used[classes:])[: len(single)] + classes  # far enough in that no base is negative
    for node, state in zip(single, gaps, strict=True):
        ((label, child),) = children[node].items()
        bases[node], states[child] = state - label, state
    return bases, states


def _first_fit(used: np.ndarray, wanted: np.ndarray) -> int | None:
    """The least base, 0 or more, with room for all wanted classes (ascending), or None where there is no room."""
    bases = np.flatnonzero(~used[wanted[0] : len(used) - (wanted[-1] - wanted[0])])
    for first in range(0, len(bases), _CANDIDATES):
        some = bases[first : first + _CANDIDATES]
        fits = ~used[some[:, None] + wanted].any(axis=1)
        if fits.any():
            return int(some[fits.argmax()])
    return None
