"""The loop of a search over the inputs of a batch, which those that are done may leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ostinato.decoding.options import Tensor
from ostinato.gathering import take

# A named tuple: first the position, a scalar, then nests of tensors [B, ...].
Search = Any
Promising = Callable[[Search, Any], Tensor]  # (search, inputs) -> bool [B]
Advance = Callable[[Search, Any, Any], Search]  # (search, inputs, memory) -> search, a token later


def search_together(promising: Promising, advance: Advance, search: Search, inputs: Any, memory: Any) -> Search:
    """Advances the search of all inputs until none can improve."""
    return _advance_while(lambda *now: ops.any(promising(*now)), advance, search, inputs, memory)


def search_by_rounds(
    promising: Promising,
    advance: Advance,
    search: Search,
    inputs: Any,
    memory: Any,
    choose_inputs: Callable[[Any, Tensor], Any],
) -> Search:
    """As `search_together`, in rounds, each of those inputs alone that can still improve.

    A round ends when half of its inputs are done. Few sentences are as long as the longest: of a hundred translations,
    rounds take half the time. More of them gain nothing, for each one copies what is known of its inputs.

    Args:
      promising: which inputs can still improve; one that cannot never can again.
      advance: adds a token to the sequences of all inputs.
      search: what is known so far.
      inputs: nest of tensors [B, ...], or None, that `advance` and `promising` are handed.
      memory: that `advance` is handed.
      choose_inputs: (memory, rows int32 [n]) -> the memory of these inputs.
    """

    def go_on(rows: Tensor, search: Search) -> tuple[Tensor, Search]:
        few = ops.shape(rows)[0] // 2
        theirs = _choose(inputs, rows)
        part = type(search)(search[0], *_choose(search[1:], rows))
        part = _advance_while(
            lambda *now: ops.count_nonzero(promising(*now)) > few, advance, part, theirs, choose_inputs(memory, rows)
        )
        whole = keras.tree.map_structure(
            lambda everything, some: ops.scatter_update(everything, rows[:, None], some), search[1:], part[1:]
        )
        return take(rows, _places(promising(part, theirs))), type(search)(part[0], *whole)

    rows = _places(promising(search, inputs))
    return ops.while_loop(lambda rows, _: ops.shape(rows)[0] > 0, go_on, (rows, search))[1]


def _advance_while(condition, advance: Advance, search: Search, inputs: Any, memory: Any) -> Search:
    def following(*now: Any) -> tuple:
        return tuple(advance(type(search)(*now), inputs, memory))

    return type(search)(*ops.while_loop(lambda *now: condition(type(search)(*now), inputs), following, tuple(search)))


def _places(mask: Tensor) -> Tensor:
    """Tells where a mask bool [B] is true, int32 [n]."""
    return ops.cast(ops.nonzero(mask)[0], "int32")


def _choose(x: Any, rows: Tensor) -> Any:
    """Chooses inputs: a nest of tensors [B, ...], rows int [n] -> [n, ...]; None stays None."""
    return keras.tree.map_structure(lambda each: None if each is None else take(each, rows), x)
