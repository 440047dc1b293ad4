"""Whether stored functions hang together, before TensorFlow, which blames the inputs if they do not, runs them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def check_functions(functions: Iterable[Any]) -> None:
    """Looks whether every tensor that functions (`FunctionDef`) use or return has a source.

    Raises:
      ValueError: one of them has none.
    """
    for function in functions:
        signature = function.signature
        known = {argument.name for argument in signature.input_arg} | {node.name for node in function.node_def}
        used = [tensor for node in function.node_def for tensor in node.input]
        for tensor in (*used, *function.ret.values(), *function.control_ret.values()):
            if tensor.removeprefix("^").partition(":")[0] not in known:
                raise ValueError(f"{tensor} comes from nowhere")
        if function.ret.keys() != {result.name for result in signature.output_arg}:
            raise ValueError(f"{signature.name} does not return what it says")
