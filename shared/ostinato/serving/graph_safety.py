"""What a version folder may hold before TensorFlow loads it: graphs are programs, and could read any file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ostinato.errors import ModelError
from ostinato.export.versions import SAVED_MODEL_FILE

# Ops that read or write files, call Python, or talk to other processes. Checkpoints are read by TensorFlow itself, not
# by the graph; the functions that do it inside the graph are never called.
_UNSAFE_OP = re.compile(
    r"File|Reader|Dataset|Summary|PyFunc|^Debug|^Print|Collective|Remote|TPU|^_?(?:Host)?(?:Send|Recv)|Rpc|LMDB"
    r"|^ImmutableConst$|LoadAndRemapMatrix|GenerateVocabRemapping|^Save|^Restore|Checkpoint|DistributedSave|Snapshot"
)
# Other spellings of a SavedModel, which TensorFlow would load in place of the one that is checked here.
_OTHER_FORMS = ("saved_model.cpb", "saved_model.pbtxt")


def check_folder(folder: Path) -> None:
    """Refuses a folder that lacks a part of a SavedModel, or that leads out of itself.

    Raises:
      ModelError: it is half-copied, or a part of it lies elsewhere.
    """
    for part in (SAVED_MODEL_FILE, "variables/variables.index"):
        if not (folder / part).is_file():
            raise ModelError(f"the folder {folder} holds no {part}; it may be half-copied: copy or export it again")
    for form in _OTHER_FORMS:
        if (folder / form).exists():
            raise ModelError(f"the folder {folder} holds {form} beside {SAVED_MODEL_FILE}; export the model again")
    inside = folder.resolve()
    for path in (*folder.glob("*"), *folder.glob("*/*")):
        if not path.resolve().is_relative_to(inside):
            raise ModelError(f"{path} is a link out of the model's folder; copy what it leads to")


def check_graph(folder: Path) -> Any:
    """Returns the description of the one graph of a folder (a `MetaGraphDef`), all of whose functions are safe to run.

    Raises:
      ModelError: the file is damaged, was not written by TensorFlow 2, or the graph would do more than to compute.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / SAVED_MODEL_FILE
    try:
        saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); copy or export the model again") from error
    except DecodeError as error:
        raise ModelError(f"{path} is damaged or half-copied; copy or export the model again") from error
    if len(saved_model.meta_graphs) != 1 or not saved_model.meta_graphs[0].object_graph_def.nodes:
        raise ModelError(f"{path} is no model of TensorFlow 2; export it again with a newer version")
    meta_graph = saved_model.meta_graphs[0]
    for asset in meta_graph.asset_file_def:
        if Path(asset.filename).name != asset.filename or asset.filename == "..":
            raise ModelError(f"{path} asks for the file {asset.filename} outside of its folder; export the model again")
    functions = {function.signature.name: function for function in meta_graph.graph_def.library.function}
    for op in sorted(_ops(functions, meta_graph.object_graph_def.concrete_functions)):
        if _UNSAFE_OP.search(op):
            raise ModelError(
                f"the graph in {folder} holds {op}, which does more than to compute (files, Python, other processes); "
                "export the model without it"
            )
    return meta_graph


def _ops(functions: Mapping[str, Any], called: Iterable[str]) -> set[str]:
    """All ops of some functions and of those that they call."""
    ops: set[str] = set()
    seen: set[str] = set()
    waiting = list(called)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in functions[name].node_def:
            ops.add(node.op)
            waiting.extend(_called_by(node))
    return ops - functions.keys()


def _called_by(node: Any) -> Iterator[str]:
    yield node.op  # in old graphs a function is called as if it were an op
    for attribute in node.attr.values():
        if attribute.HasField("func"):
            yield attribute.func.name
        yield from (function.name for function in attribute.list.func)
