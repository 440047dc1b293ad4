from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from ostinato.export.endpoints import Endpoint, Signature
from ostinato.export.loading import LoadedModel
from ostinato.export.stream import describe_stream


def unexported_model(
    path: Path,
    endpoints: Sequence[Signature],
    owner: object,
    *,
    metadata: Mapping[str, Any],
    assets: Mapping[str, Path] | None = None,
) -> LoadedModel:
    """Returns what loading an export would return, without exporting: for models that are still being worked on.

    Args:
      path: where the model comes from, for messages.
      endpoints: what would be exported; those with fixed settings are left out.
      owner: whoever holds the weights.
      metadata: what the interface would say of the application's own facts.
      assets: the application's files, by name.
    """
    functions = {
        endpoint.name: tf.function(endpoint.function, autograph=False, reduce_retracing=True)
        for endpoint in endpoints
        if isinstance(endpoint, Endpoint)
    }
    signatures = {endpoint.name: _interface(endpoint) for endpoint in endpoints if isinstance(endpoint, Endpoint)}
    return LoadedModel(path, functions, {"signatures": signatures, "metadata": metadata}, assets or {}, owner)


def _interface(endpoint: Endpoint) -> dict[str, Any]:
    """Returns what `StreamingSession` asks an interface for."""
    inputs = {spec.name: {"dtype": spec.dtype.name} for spec in endpoint.specs}
    stream = {} if endpoint.stream is None else {"stream": describe_stream(endpoint.stream, endpoint.specs)}
    return {"inputs": inputs, **stream}
