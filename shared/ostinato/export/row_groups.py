"""A batch of any size computed a few rows at a time within the graph, so that the memory a request takes has a bound.

A photo of a kilobyte needs some ten megabytes while it is looked at. Whoever serves a model limits the bytes of a
request, not its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

Tensors = dict[str, tf.Tensor]
_Fold = Callable[[Tensors, Tensors], tuple[Tensors, Tensors]]
_Cut = Callable[[Any], Tensors]  # the group that begins at a row


def in_groups(function: Callable[[Tensors], Tensors], rows: Mapping[str, tf.Tensor], size: int) -> Tensors:
    """Calls a function on at most `size` rows at a time, and returns its answers as if it had been called once.

    Args:
      function: takes tensors [b, ...] by name, and returns tensors [b, ...] by name, whose other dimensions are the
        same for all groups.
      rows: tensors [B, ...]; B may be 0, and the function is called once all the same.
      size: rows of a group.

    Returns:
      what the function returns, [B, ...].

    Raises:
      tf.errors.InvalidArgumentError: the tensors differ in B.
    """
    answer, _ = fold_groups(lambda group, _: (function(group), {}), rows, {}, size)
    return answer


def fold_groups(
    function: _Fold,
    rows: Mapping[str, tf.Tensor],
    carried: Mapping[str, tf.Tensor],
    size: int | tf.Tensor,
    *,
    axis: int = 0,
) -> tuple[Tensors, Tensors]:
    """As `in_groups`, one group after the other, each of which is handed what the one before it left.

    Args:
      function: takes the tensors of a group and what is carried; returns its answer and what is carried on, of the same
        names, dtypes and shapes.
      rows: tensors cut into groups along `axis`, which is 0 or 1.
      carried: what the first group is handed.
      size: rows of a group; at least 1.
      axis: which axis of `rows` and of the answers counts rows.

    Returns:
      the answers of all groups, joined along `axis`, and what the last group carried on.

    Raises:
      tf.errors.InvalidArgumentError: the tensors differ in their number of rows.
    """
    count = count_rows(rows, axis=axis)

    def group_at(start: int | tf.Tensor) -> Tensors:
        return {name: x[start : start + size] if axis == 0 else x[:, start : start + size] for name, x in rows.items()}

    if tf.executing_eagerly():
        return _loop(function, group_at, dict(carried), range(0, max(int(count), 1), int(size)), axis)
    return _graph_loop(function, group_at, dict(carried), count, size, axis)


def count_rows(rows: Mapping[str, tf.Tensor], *, axis: int = 0) -> tf.Tensor:
    """Returns how many rows tensors have, int32 scalar.

    Raises:
      tf.errors.InvalidArgumentError: not all have the same number; they would be broadcast, or cut off.
    """
    counts = [tf.shape(tensor)[axis] for tensor in rows.values()]
    if len(counts) == 1:
        return counts[0]
    fault = f"{', '.join(rows)} differ in dimension {axis}:"
    same = tf.debugging.Assert(tf.reduce_all(tf.stack(counts) == counts[0]), [fault, *counts], name="check_rows")
    with tf.control_dependencies([] if same is None else [same]):
        return tf.identity(counts[0])


def _loop(function: _Fold, group_at: _Cut, carried: Tensors, starts: range, axis: int) -> tuple[Tensors, Tensors]:
    answers = []
    for start in starts:
        answer, carried = function(group_at(start), carried)
        answers.append(answer)
    return {name: tf.concat([answer[name] for answer in answers], axis) for name in answers[0]}, carried


def _graph_loop(
    function: _Fold, group_at: _Cut, carried: Tensors, count: tf.Tensor, size: int | tf.Tensor, axis: int
) -> tuple[Tensors, Tensors]:
    # Traced by itself, so that dtypes are known before the loop is built.
    first = group_at(0)
    specs = [{name: tf.TensorSpec(_free(x.shape, axis), x.dtype) for name, x in first.items()}]
    specs.append({name: tf.TensorSpec(x.shape, x.dtype) for name, x in carried.items()})
    traced = tf.function(function, autograph=False).get_concrete_function(*specs)
    spec_of_answer, _ = traced.structured_outputs
    arrays = {
        name: tf.TensorArray(
            spec.dtype, size=0, dynamic_size=True, infer_shape=False, element_shape=_rows_first(spec.shape, axis)
        )
        for name, spec in spec_of_answer.items()
    }

    def advance(start: tf.Tensor, number: tf.Tensor, arrays: dict[str, tf.TensorArray], carried: Tensors) -> Any:
        answer, following = traced(group_at(start), carried)
        arrays = {name: array.write(number, _swapped(answer[name], axis)) for name, array in arrays.items()}
        kept = {name: tf.ensure_shape(following[name], x.shape) for name, x in carried.items()}
        return start + size, number + 1, arrays, kept

    zero = tf.constant(0)
    _, _, arrays, carried = tf.while_loop(
        # Once at least: of no rows, too, the answer has dtypes and shapes.
        lambda start, number, *_: tf.logical_or(start < count, number == 0),
        advance,
        (zero, zero, arrays, carried),
        parallel_iterations=1,  # else groups would be computed beside one another, and there were no bound
    )
    return {name: _swapped(array.concat(), axis) for name, array in arrays.items()}, carried


def _free(shape: tf.TensorShape, axis: int) -> tf.TensorShape:
    """The shape of a group, whose number of rows is not known."""
    sizes = shape.as_list()
    sizes[axis] = None
    return tf.TensorShape(sizes)


def _rows_first(shape: tf.TensorShape, axis: int) -> tf.TensorShape:
    sizes = _free(shape, axis).as_list()
    sizes[0], sizes[axis] = sizes[axis], sizes[0]
    return tf.TensorShape(sizes)


def _swapped(x: tf.Tensor, axis: int) -> tf.Tensor:
    """Puts the axis of rows in front, where a `tf.TensorArray` joins, or back."""
    return x if axis == 0 else tf.transpose(x, [1, 0, *range(2, x.shape.rank)])
