from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from ostinato.export.endpoints import Endpoint, Signature
from ostinato.export.loading import LoadedModel


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
    return LoadedModel(path, functions, {"metadata": metadata}, assets or {}, owner)
