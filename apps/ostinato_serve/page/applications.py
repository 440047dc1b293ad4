"""The applications over the models that are served."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ostinato.errors import ModelError
from ostinato.serving.errors import ServingError
from ostinato.serving.hosted_model import HostedModel, hosted_model
from ostinato.serving.model_server import ModelServer

Application = Any  # Captioner, Translator, VideoClassifier or GestureRecognizer


class Applications:
    """Which served models each application can use, and the application over one of them.

    Args:
      server: has the models.
    """

    def __init__(self, server: ModelServer) -> None:
        self.server = server
        self._models: dict[str, HostedModel] = {}
        self._made: dict[str, tuple[HostedModel, Application]] = {}
        self._lock = threading.Lock()

    def names(self, application: str) -> list[str]:
        """Models of an application, such as `ostinato_caption`, that can be asked now."""
        found = []
        for name in self.server.model_names:
            try:
                model = self._model(name)
            except (ServingError, ModelError):  # not loaded, or made by others
                continue
            if model.metadata.get("application") == application:
                found.append(name)
        return found

    def get(self, name: str, make: Callable[[HostedModel], Application]) -> Application:
        """The application over the newest version of a model, made once for each version.

        Raises:
          ServingError: no version of the model can be asked.
          ModelError: it is no model of the application.
        """
        model = self._model(name)
        with self._lock:
            made = self._made.get(name)
            if made is None or made[0] is not model:
                made = self._made[name] = (model, make(model))
            return made[1]

    def _model(self, name: str) -> HostedModel:
        with self.server.use(name) as served:
            version, folder = served.version, served.servable.path
        with self._lock:
            known = self._models.get(name)
            if known is None or (known.version, known.path) != (version, folder):
                known = self._models[name] = hosted_model(self.server, name)
            return known
