"""The signatures of a SavedModel, run as they are stored.

`tf.saved_model.load` builds every function of the file anew, node by node in Python, so that programs may differentiate
them, trace them and save them again. To ask a signature, none of that is needed: here TensorFlow's runtime gets the
stored functions as they are. The captioning model (9,464 nodes) is ready to be asked in 0.5 s instead of 3.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import trackable_object_graph_pb2

from ostinato.errors import ModelError
from ostinato.export import runtime
from ostinato.export.function_checks import check_functions
from ostinato.export.saved_graph import callable_signatures, damaged, read_meta_graph
from ostinato.export.widening import widen_weights

_OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"  # where a checkpoint says which object each tensor belongs to
_KNOWN_KINDS = {"user_object", "function", "bare_concrete_function", "variable"}  # of objects
_FAULTS = (OSError, ValueError, LookupError, RuntimeError, DecodeError, runtime.OpError)  # of damaged files


class StoredSignature:
    """A signature of an exported model: tensors or arrays by keyword, a dict of tensors.

    Its functions are handed to TensorFlow when it is asked for the first time. It is asked eagerly: to have it in
    another graph, load the model with `rebuild=True`.

    Args:
      folder: where it was stored, for messages.
      name: the signature's.
      definition: its `SignatureDef`.
      call: the node of the graph that calls its function, a `NodeDef`.
      library: all functions of the graph, `FunctionDef` by name.
      captured: the variables that the function reads, in the order of the inputs behind those of the signature.

    Raises:
      TypeError: tensors are missing, or there are others, or they are those of a graph.
      tf.errors.InvalidArgumentError: they are of other dtypes, or the graph refuses them.
      ModelError: the functions are damaged, or have ops that this TensorFlow has not.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        definition: Any,
        call: Any,
        library: Mapping[str, Any],
        captured: Sequence[runtime.Weight],
    ) -> None:
        self._folder, self._name, self._definition, self._call = folder, name, definition, call
        self._library, self._captured = library, captured
        self._dtypes = {name: runtime.dtype_of(tensor.dtype) for name, tensor in sorted(definition.inputs.items())}

    def __call__(self, **given: Any) -> dict[str, Any]:
        if given.keys() != self._dtypes.keys():
            raise TypeError(f"{self._name} takes {', '.join(self._dtypes)}; it was given {', '.join(sorted(given))}")
        if not runtime.is_eager():
            raise TypeError(f"{self._name} is called within a graph: load the model with rebuild=True for that")
        tensors = {name: runtime.as_tensor(value) for name, value in given.items()}
        for name, dtype in self._dtypes.items():
            if tensors[name].dtype != dtype:
                message = f"{name} is {tensors[name].dtype.name}, and {self._name} takes {dtype.name}"
                raise runtime.InvalidArgumentError(None, None, message)
        function = self._function
        try:
            return function(tensors)
        except runtime.NotFoundError as error:  # of an op, which is looked for when the function is called
            raise damaged(self._folder, error) from error

    @functools.cached_property
    def _function(self) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        try:
            return self._hand_over()
        except _FAULTS as error:
            raise damaged(self._folder, error) from error

    def _hand_over(self) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """Returns a function of tensors by name that calls the stored one, with the weights behind its inputs."""
        called = _called(self._call)
        functions = [self._library[name] for name in _with_all_it_calls(called, self._library)]
        check_functions(functions)
        sources = [_full_name(source) for source in self._call.input]
        names = {tensor.name: name for name, tensor in self._definition.inputs.items()}
        others = [source for source in sources if source not in names]
        handles = {source: weight.handle for source, weight in zip(others, self._captured, strict=True)}
        outputs = {name: _number(tensor.name) for name, tensor in sorted(self._definition.outputs.items())}
        signature = self._library[called].signature
        num_outputs = len(signature.output_arg)
        if len(sources) != len(signature.input_arg) or max(outputs.values(), default=0) >= num_outputs:
            raise ValueError(f"{self._name} calls a function of other inputs or outputs")
        runtime.add_functions(functions)

        def call(tensors: Mapping[str, Any]) -> dict[str, Any]:
            given = [tensors[names[source]] if source in names else handles[source] for source in sources]
            found = runtime.call_function(called, given, num_outputs)
            return {name: found[number] for name, number in outputs.items()}

        return call


class StoredSignatures(NamedTuple):
    """The signatures of a model by name, and the weights that they share."""

    signatures: Mapping[str, StoredSignature]
    weights: Sequence[runtime.Weight]


def load_stored_signatures(folder: Path) -> StoredSignatures | None:
    """Reads the signatures of a version folder and its weights.

    Returns None for what this module cannot run, such as a model with a lookup table: load it by TensorFlow.

    Raises:
      ModelError: graph or weights are missing or damaged, or the weights are those of another graph.
    """
    meta_graph = read_meta_graph(folder)
    objects = meta_graph.object_graph_def
    calls = {name: _call_of(meta_graph, name) for name in callable_signatures(meta_graph.signature_def)}
    if None in calls.values() or not {node.WhichOneof("kind") for node in objects.nodes} <= _KNOWN_KINDS:
        return None
    bound = {name: objects.concrete_functions[_called(call)].bound_inputs for name, call in calls.items()}
    # A process knows one function of each name, and versions of a model use the same names. By their content those of a
    # model that is loaded again are known already: TensorFlow never forgets one.
    content = hashlib.sha256(meta_graph.graph_def.library.SerializeToString(deterministic=True)).hexdigest()
    _strip(meta_graph.graph_def.library.function)
    library = _renamed(meta_graph.graph_def.library.function, calls.values(), suffix=f"_{content[:16]}")
    needed = set().union(*(_with_all_it_calls(_called(call), library) for call in calls.values()))
    widened = widen_weights([library[name] for name in needed & library.keys()])
    try:
        variables = _read_variables(folder, objects.nodes, widened=widened)
        captured = {name: [variables[number] for number in numbers] for name, numbers in bound.items()}
    except _FAULTS as error:
        raise damaged(folder, error) from error
    signatures = {
        name: StoredSignature(folder, name, meta_graph.signature_def[name], call, library, captured[name])
        for name, call in calls.items()
    }
    return StoredSignatures(signatures, tuple(variables.values()))


def _call_of(meta_graph: Any, signature: str) -> Any:
    """Returns the node that all outputs of a signature come from, or None if it is not a plain call of a function."""
    sources = {info.name.partition(":")[0] for info in meta_graph.signature_def[signature].outputs.values()}
    nodes = [node for node in meta_graph.graph_def.node if node.name in sources]
    is_call = len(nodes) == 1 and nodes[0].op in ("PartitionedCall", "StatefulPartitionedCall")
    return nodes[0] if is_call and not any(source.startswith("^") for source in nodes[0].input) else None


def _called(call: Any) -> str:
    return call.attr["f"].func.name


def _read_variables(folder: Path, objects: Sequence[Any], *, widened: bool) -> dict[int, runtime.Weight]:
    """Returns the variables, by their number among the objects of the graph; `widened`, float32 for float16."""
    prefix = folder / "variables" / "variables"
    (graph,) = runtime.read_checkpoint(prefix, {_OBJECTS: types_pb2.DT_STRING})
    stored = trackable_object_graph_pb2.TrackableObjectGraph.FromString(graph.numpy()).nodes
    # Both files number their objects alike: as one walk over the model has met them.
    if [_children(node) for node in stored] != [_children(node) for node in objects]:
        raise ModelError(f"The weights in {folder} are not those of its graph; export or fetch it again.")
    variables = {number: node.variable for number, node in enumerate(objects) if node.HasField("variable")}
    keys = {}
    for number, variable in variables.items():
        (attribute,) = stored[number].attributes
        keys[attribute.checkpoint_key] = variable.dtype
    weights = {}
    for (number, variable), tensor in zip(variables.items(), runtime.read_checkpoint(prefix, keys), strict=True):
        tensor.shape.assert_is_compatible_with(variable.shape)
        weights[number] = runtime.Weight.holding(variable.name, runtime.widened(tensor) if widened else tensor)
    return weights


def _children(node: Any) -> list[tuple[str, int]]:
    return [(child.local_name, child.node_id) for child in node.children]


def _renamed(functions: Sequence[Any], calls: Iterable[Any], suffix: str) -> dict[str, Any]:
    """Gives functions other names, also where they or the calls name them, and returns them by these."""
    names = {function.signature.name for function in functions}
    for function in functions:
        function.signature.name += suffix
    for node in itertools.chain(calls, *(function.node_def for function in functions)):
        for reference in _references(node):
            if reference.name in names:
                reference.name += suffix
    return {function.signature.name: function for function in functions}


def _strip(functions: Iterable[Any]) -> None:
    """Takes from functions what only those read who build graphs of them; the first call copies it again and again."""
    for node in (node for function in functions for node in function.node_def):
        node.attr.pop("_output_shapes", None)
        node.ClearField("experimental_debug_info")


def _with_all_it_calls(name: str, library: Mapping[str, Any]) -> set[str]:
    """Returns a function's name and those of all functions that it and they call, even if there are none."""
    found, waiting = set(), [name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            nodes = library[name].node_def if name in library else ()
            waiting.extend(reference.name for node in nodes for reference in _references(node))
    return found


def _references(node: Any) -> Iterator[Any]:
    """Yields what names a function in a node, or in the attributes of another reference."""
    for value in node.attr.values():
        for reference in (*([value.func] if value.HasField("func") else []), *value.list.func):
            yield reference
            yield from _references(reference)


def _full_name(source: str) -> str:
    """Returns the full name of a tensor; graphs leave out the number of a node's first output."""
    return source if ":" in source else f"{source}:0"


def _number(name: str) -> int:
    """Returns which output of its node a tensor is, from its full name."""
    return int(name.rpartition(":")[2])
