"""The run directory of video: features and labels of frames besides what every run has."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from ostinato.sequences.run import StreamRun
from ostinato_video.config import PrepareConfig


@dataclasses.dataclass(frozen=True)
class Run(StreamRun):
    """The files of a run directory, by what they are.

    Args:
      folder: the run directory.
    """

    application: ClassVar[str] = "ostinato_video"

    @property
    def prepare_config(self) -> PrepareConfig:
        """How its videos were read.

        Raises:
          DataError: it has not been prepared.
        """
        config = self.prepared["config"]
        return PrepareConfig(**{**config, "parts": tuple(config["parts"])})
