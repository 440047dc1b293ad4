"""A model that a `ModelServer` of this process has loaded, as applications ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ostinato.errors import InputError
from ostinato.export.loading import find_assets, read_interface
from ostinato.export.model import Model
from ostinato.serving.errors import ServingError

if TYPE_CHECKING:
    import numpy as np

    from ostinato.serving.model_server import ModelServer


@dataclass(frozen=True)
class HostedModel(Model):
    """As `LoadedModel`; its requests are batched and counted with those of all other clients, and loaded it is once.

    Attributes:
      path, interface, assets: as of every model.
      server: computes.
      name: of the model on the server.
      version: which is asked, also when a newer one has come; a version that was let go is not found any more.
    """

    path: Path
    interface: Mapping[str, Any]
    assets: Mapping[str, Path]
    server: ModelServer
    name: str
    version: int

    def call(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Asks a signature and waits for the answer.

        Raises:
          InputError: the signature refuses what the inputs hold.
          ServingError: the server is too busy, or has let the version go.
        """
        try:
            return self.server.predict(self.name, inputs, version=self.version, signature=signature).outputs
        except ServingError as error:
            if error.code == "INVALID_ARGUMENT":
                raise InputError(f"the model {self.name} refuses it ({error.message})") from error
            raise


def hosted_model(server: ModelServer, name: str) -> HostedModel:
    """The newest version that can be asked.

    Raises:
      ServingError: the server has no such model, or none of its versions is loaded.
      ModelError: the version says nothing of itself: it is no export of an application.
    """
    with server.use(name) as served:
        folder = served.servable.path
        return HostedModel(folder, read_interface(folder), find_assets(folder), server, name, served.version)
