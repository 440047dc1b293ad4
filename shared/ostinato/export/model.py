from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.errors import ModelError


class Model(abc.ABC):
    """What an application asks: its signatures, whoever computes them, with what the export says of itself.

    Attributes:
      path: its version folder on this machine.
      interface: what `interface.json` says, `metadata` of the application included.
      assets: the application's files, by name.
    """

    path: Path
    interface: Mapping[str, Any]
    assets: Mapping[str, Path]

    @abc.abstractmethod
    def call(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Asks a signature.

        Args:
          signature: its name.
          inputs: arrays of the signature's dtypes, by name; strings are object arrays of bytes.

        Returns:
          the outputs, by name.

        Raises:
          InputError: the signature refuses what the inputs hold, such as a damaged photo.
          ServerError: the model is on a server that does not answer.
        """

    @property
    def call_size(self) -> int:
        """Bytes of inputs that a call is to have at most, where an application may divide what it asks."""
        return 2**25

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The application's own facts; empty where there are none."""
        return self.interface.get("metadata", {})

    def check_application(self, application: str, does: str) -> None:
        """Raises ModelError where the model was exported by another application; `does` is what this one's do."""
        if self.metadata.get("application") != application:
            raise ModelError(f"the model in {self.path} writes no {does}; name another")

    def check_settings(self, settings: type) -> None:
        """Raises ModelError where the model's decoding settings are not the fields of the dataclass that is sent to it.

        Without it a setting that was added since the export would fail as an unknown input in the first request.
        """
        known = {field.name for field in dataclasses.fields(settings)}
        if differing := known ^ set(self.metadata.get("decoding", {})):
            raise ModelError(
                f"the model in {self.path} and this program know different settings ({', '.join(sorted(differing))}); "
                "export it again, or use the version of the program that made it"
            )
