"""Serving exported models: a local server with the interfaces of TensorFlow Serving, and a client of either.

    ostinato.serving.errors        ServingError: why a request was not answered, in the codes of gRPC
    ostinato.serving.servable      Servable: one version of a model, loaded and checked
    ostinato.serving.repository    ModelRepository: which versions are loaded, drained and unloaded
    ostinato.serving.batching      requests that wait at the same time are computed together
    ostinato.serving.model_server  ModelServer: models by name, asked from any thread or event loop
    ostinato.serving.rest          the REST interface over a ModelServer
    ostinato.serving.grpc_server   serve_grpc: the gRPC interface over a ModelServer
    ostinato.serving.client        ServingClient: asks a server by REST or gRPC
    ostinato.serving.served_model  served_model: an exported model whose answers come from a server

Reference: TensorFlow Serving, Olston et al. 2017, "TensorFlow-Serving: Flexible, High-Performance ML Serving".
"""

import importlib
from typing import TYPE_CHECKING, Any

from ostinato.serving.errors import ServingError

if TYPE_CHECKING:
    from ostinato.serving.batching import BatchingOptions
    from ostinato.serving.client import ServingClient
    from ostinato.serving.model_server import ModelServer
    from ostinato.serving.repository import ModelConfig

__all__ = ["BatchingOptions", "ModelConfig", "ModelServer", "ServingClient", "ServingError"]

# Imported when they are first asked for: a client does not wait for TensorFlow.
_LATER = {
    "BatchingOptions": "ostinato.serving.batching",
    "ModelConfig": "ostinato.serving.repository",
    "ModelServer": "ostinato.serving.model_server",
    "ServingClient": "ostinato.serving.client",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
