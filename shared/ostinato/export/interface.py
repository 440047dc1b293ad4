"""`interface.json`, `curl.txt` and `sample_requests/`: all that a stranger needs to ask a served model."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.export import rest
from ostinato.export.endpoints import Endpoint, Signature
from ostinato.export.saved_graph import SavedGraph, TensorDescription
from ostinato.export.stream import describe_stream
from ostinato.export.warmup import Request, single_items

INTERFACE_FILE = "interface.json"
_INLINE = 1_000  # characters of a request that a person still likes to see on a command line
_URL = "http://localhost:8501/v1/models/{model}:predict"


def smallest_request(endpoint: Signature, requests: Sequence[Request]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The item that is shortest in REST form, as arrays and as a request: no big photo shall bloat the folder."""
    candidates = [
        (item, rest.to_request(endpoint.name, item, endpoint.binary_inputs))
        for item in single_items(requests, endpoint.name)
    ]
    return min(candidates, key=lambda candidate: len(json.dumps(candidate[1])))


def write_interface(
    folder: Path,
    model_name: str,
    graph: SavedGraph,
    endpoints: Sequence[Signature],
    samples: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]],
    metadata: Mapping[str, Any],
) -> None:
    """Writes the three into a version folder.

    Args:
      folder: the version folder.
      model_name: the name under which a server is expected to serve it.
      graph: the description of the SavedModel.
      endpoints: what was exported.
      samples: by endpoint name, a REST request and the answer to it.
      metadata: the application's own facts (decoding defaults, metrics, licence of the data, ...), as JSON has them.
    """
    signatures, curls = {}, []
    for endpoint in endpoints:
        description = graph.signatures[endpoint.name]
        request, answer = samples[endpoint.name]
        curl = _curl(folder, model_name, endpoint.name, json.dumps(request, ensure_ascii=False))
        curls.append(curl)
        signatures[endpoint.name] = {
            "inputs": {
                name: {**_plain(tensor), "binary": name in endpoint.binary_inputs}
                for name, tensor in description.inputs.items()
            },
            "outputs": {name: _plain(tensor) for name, tensor in description.outputs.items()},
            "sample": {"request": request, "answer": answer},
            "curl": curl,
        }
        if isinstance(endpoint, Endpoint) and endpoint.stream is not None:
            signatures[endpoint.name]["stream"] = describe_stream(endpoint.stream, endpoint.specs)
    document = {"model": model_name, "signatures": signatures, "metadata": dict(metadata)}
    (folder / INTERFACE_FILE).write_text(_indented(document) + "\n", encoding="utf-8")
    heading = "# With TensorFlow Serving at port 8501, in this folder:\n"
    (folder / "curl.txt").write_text(heading + "\n".join(curls) + "\n", encoding="utf-8")


def _indented(document: Mapping[str, Any]) -> str:
    """Returns JSON with a line for each field, and one for each row of numbers: a video frame has thousands."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # No string holds a line end, so what is matched is no part of one.
    return re.sub(r"\[\n([^\[\]{}\"]*)\n *\]", lambda row: f"[{' '.join(row[1].split())}]", text)


def _curl(folder: Path, model_name: str, signature: str, request: str) -> str:
    """A command that sends the sample request, which also lies in a file of its own."""
    path = Path("sample_requests") / f"{signature}.json"
    (folder / path.parent).mkdir(exist_ok=True)
    (folder / path).write_text(request + "\n", encoding="utf-8")
    data = shlex.quote(request) if len(request) <= _INLINE else f"@{path.as_posix()}"
    return f"curl --silent --data {data} {_URL.format(model=model_name)}"


def _plain(tensor: TensorDescription) -> dict[str, Any]:
    return {"dtype": tensor.dtype, "shape": None if tensor.shape is None else list(tensor.shape)}
