"""An exported model that is computed on a server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ostinato.errors import ModelError
from ostinato.export.loading import find_assets, read_interface
from ostinato.export.model import Model
from ostinato.export.stream import is_state
from ostinato.export.versions import find_model
from ostinato.serving.client import ServingClient

if TYPE_CHECKING:
    import numpy as np

    from ostinato.export.saved_graph import SignatureDescription

TOKEN_VARIABLE = "OSTINATO_TOKEN"
CA_VARIABLE = "OSTINATO_CA_FILE"


@dataclass(frozen=True)
class ServedModel(Model):
    """As `LoadedModel`: the facts of a folder here, the answers of a server.

    Attributes:
      path, interface, assets: as of every model.
      client: asks the server.
    """

    path: Path
    interface: Mapping[str, Any]
    assets: Mapping[str, Path]
    client: ServingClient

    @property
    def call_size(self) -> int:
        """In JSON, pixels take five times as much, and time: a call is to be answered in seconds."""
        return 2**24 if self.client.url.startswith(("grpc:", "grpcs:")) else 2**21

    def call(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Asks a signature on the server."""
        return self.client.predict(inputs, signature)


def served_model(name_or_path: str | Path, server: str, *, timeout: float = 60.0) -> ServedModel:
    """Takes the answers of a model from a server instead of loading it; TensorFlow is not started for `http://`.

    A model server knows nothing of labels, languages or frame rates. They are read from the same model's folder on this
    machine, and exactly its version is asked for under the name of the folder of all versions, as in
    `saved_models/NAME/VERSION`: a server that has another version says so, instead of its answers being misread.

    Args:
      name_or_path: exported folder, with or without its version, or the name of a shipped model.
      server: its address, see `ServingClient`. The token is taken from the environment variable OSTINATO_TOKEN, as
        arguments of a program can be seen by everybody on a machine; so is OSTINATO_CA_FILE, see `ServingClient`.
      timeout: seconds for a call, its repetitions included.

    Raises:
      ModelError: there is no such model, or its folder has no version.
      ServerError: the address is none.
    """
    folder = find_model(name_or_path)
    name, version = folder.resolve().parent.name, folder.resolve().name
    if not (version.isascii() and version.isdecimal()):
        raise ModelError(f"the folder {folder} is no NAME/VERSION, so the server cannot be asked for it; rename it")
    client = ServingClient(
        server,
        model=name,
        version=int(version),
        timeout=timeout,
        token=os.environ.get(TOKEN_VARIABLE),
        ca_file=os.environ.get(CA_VARIABLE) or None,
    )
    return ServedModel(folder, read_interface(folder), find_assets(folder), client)


def interface_of(signature: str, described: SignatureDescription) -> dict[str, Any]:
    """Returns what `StreamingSession` asks an interface for, from what a server tells of a signature."""
    inputs = {name: {"dtype": tensor.dtype, "shape": tensor.shape} for name, tensor in described.inputs.items()}
    states = {name: tensor for name, tensor in inputs.items() if is_state(name)}
    interface: dict[str, Any] = {"inputs": inputs}
    if states:
        interface["stream"] = {
            "frames": {name: name for name, tensor in inputs.items() if name not in states and tensor["shape"] != ()},
            "state": {name: {**tensor, "shape": (tensor["shape"] or ())[1:]} for name, tensor in states.items()},
        }
    return {"signatures": {signature: interface}}
