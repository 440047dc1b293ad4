import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ostinato.errors import ModelError
from ostinato.export.versions import SAVED_MODEL_FILE

_OF_A_GRAPH = re.compile(r"\{\{.*?\}\}|\[Op:.*?\]")  # where an op failed: nothing that a user knows
INIT_SIGNATURE = "__saved_model_init_op"  # TensorFlow's own, not to be called


@dataclass(frozen=True)
class TensorDescription:
    """Name of a dtype as in NumPy (`string` for bytes), and a shape, None where a size is free; None: unknown rank."""

    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class SignatureDescription:
    """Inputs and outputs of a signature, by name."""

    inputs: Mapping[str, TensorDescription]
    outputs: Mapping[str, TensorDescription]


@dataclass(frozen=True)
class SavedGraph:
    """What a SavedModel says about itself, read from its file without loading it.

    Attributes:
      signatures: those that can be called.
      ops: names of all ops in all signatures, loop bodies and other functions of the library.
      functions: names of the library's functions, which old graphs call as if they were ops.
    """

    signatures: Mapping[str, SignatureDescription]
    ops: frozenset[str]
    functions: frozenset[str]


def read_graph(folder: Path) -> SavedGraph:
    """Reads the description of an exported model.

    Raises:
      ModelError: the file is missing or damaged.
    """
    meta_graph = read_meta_graph(folder)
    graph = meta_graph.graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return SavedGraph(
        signatures=described_signatures(meta_graph.signature_def),
        ops=frozenset(node.op for node in nodes),
        functions=frozenset(function.signature.name for function in graph.library.function),
    )


def read_meta_graph(folder: Path) -> Any:
    """Reads the graph of an exported model, a `MetaGraphDef`; raises as `read_graph`."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / SAVED_MODEL_FILE
    try:
        saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        meta_graph = saved_model.meta_graphs[0]
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); export the model again.") from error
    except (DecodeError, IndexError) as error:
        raise ModelError(f"{path} is damaged; export the model again.") from error
    return meta_graph


def damaged(folder: Path, error: Exception) -> ModelError:
    """Returns what to raise where TensorFlow fails on a version folder."""
    return ModelError(f"The model in {folder} is damaged ({reason_of(error)}); export or fetch it again.")


def reason_of(error: Exception) -> str:
    """Returns the first line of what TensorFlow says, which goes on for pages, without the names of its nodes."""
    lines = _OF_A_GRAPH.sub("", str(getattr(error, "message", error))).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def callable_signatures(signatures: Mapping[str, Any]) -> list[str]:
    """Returns the names of `SignatureDef` messages that can be called, sorted."""
    return sorted(signatures.keys() - {INIT_SIGNATURE})


def described_signatures(signatures: Mapping[str, Any]) -> dict[str, SignatureDescription]:
    """Describes `SignatureDef` messages by name, those that can be called."""
    return {
        name: SignatureDescription(_tensors(signatures[name].inputs), _tensors(signatures[name].outputs))
        for name in callable_signatures(signatures)
    }


def _tensors(infos: Mapping[str, Any]) -> dict[str, TensorDescription]:
    return {name: _tensor(info) for name, info in sorted(infos.items())}


def _tensor(info: Any) -> TensorDescription:
    from tensorflow.python.framework import dtypes

    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
    return TensorDescription(dtypes.as_dtype(info.dtype).name, sizes)
