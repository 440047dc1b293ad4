"""TensorFlow's runtime, asked directly: as much as it takes to run stored functions.

Programs that run exported models import no more of TensorFlow than this, see `ostinato.commands.quiet_tensorflow`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow.python.eager import context, execute
from tensorflow.python.framework import constant_op, dtypes, errors_impl

OpError = errors_impl.OpError
InvalidArgumentError = errors_impl.InvalidArgumentError
NotFoundError = errors_impl.NotFoundError


def is_eager() -> bool:
    """Whether ops are run where they are called, not put into a graph that is being made."""
    return context.executing_eagerly()


def as_tensor(value: Any) -> Any:
    """Returns a value, such as an array, as a `tf.Tensor`; one that is a tensor already, as it is."""
    return constant_op.constant(value)


def dtype_of(number: int) -> Any:
    """Returns the `tf.DType` of a number that stands for it in stored graphs."""
    return dtypes.as_dtype(number)


def add_functions(definitions: Iterable[Any]) -> None:
    """Hands stored functions (`FunctionDef`) to the runtime; those that it knows already, it may be given again."""
    for definition in definitions:
        context.context().add_function_def(definition)


def call_function(name: str, inputs: Sequence[Any], num_outputs: int) -> list[Any]:
    """Calls a function that the runtime was given.

    Raises:
      OpError: it fails.
    """
    return context.context().call_function(name.encode(), list(inputs), num_outputs) or []


@dataclass(frozen=True, eq=False)
class Weight:
    """A variable of an exported model.

    Attributes:
      name: by which it was stored.
      shape: its sizes.
      dtype: its `tf.DType`.
      handle: the tensor by which functions find it; the variable lives as long as that.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Any
    handle: Any

    @classmethod
    def holding(cls, name: str, tensor: Any) -> Weight:
        """Returns a new variable of that value."""
        shape, number = tuple(tensor.shape.as_list()), tensor.dtype.as_datatype_enum
        (handle,) = _run(
            "VarHandleOp",
            [],
            1,
            container="",
            shared_name=context.anonymous_name(),  # it goes with its handle
            dtype=number,
            shape=shape,
            allowed_devices=[],
        )
        _run("AssignVariableOp", [handle, tensor], 0, dtype=number)
        return cls(name, shape, tensor.dtype, handle)

    def numpy(self) -> np.ndarray:
        """Returns its value."""
        (tensor,) = _run("ReadVariableOp", [self.handle], 1, dtype=self.dtype.as_datatype_enum)
        return tensor.numpy()


def read_checkpoint(prefix: Path, tensors: dict[str, int]) -> list[Any]:
    """Reads tensors of a checkpoint.

    Args:
      prefix: of the names of its files.
      tensors: number of the dtype of each by its name.

    Raises:
      OpError: files are missing or damaged, or have no such tensors.
    """
    inputs = [as_tensor(str(prefix)), as_tensor([*tensors]), as_tensor([""] * len(tensors))]
    return _run("RestoreV2", inputs, len(tensors), dtypes=[*tensors.values()])


def widened(tensor: Any) -> Any:
    """Returns a float16 tensor as float32, any other as it is."""
    if tensor.dtype != dtypes.float16:
        return tensor
    (wide,) = _run("Cast", [tensor], 1, SrcT=types_pb2.DT_HALF, DstT=types_pb2.DT_FLOAT, Truncate=False)
    return wide


def _run(op: str, inputs: list[Any], num_outputs: int, **attributes: Any) -> list[Any]:
    flat = tuple(each for attribute in attributes.items() for each in attribute)
    return execute.execute(op, num_outputs, inputs, flat, context.context())
