"""The run directory of video: features and labels of frames besides what every run has."""

from __future__ import annotations

import dataclasses
import functools
from typing import ClassVar

from ostinato.config import read_config
from ostinato.run_directory import RunDirectory
from ostinato.sequences.config import OF_THE_NETWORK
from ostinato.sequences.store import SequenceStore
from ostinato_video.config import PrepareConfig, TrainConfig


@dataclasses.dataclass(frozen=True)
class Run(RunDirectory):
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

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the L labels, in the order of all scores.

        Raises:
          DataError: it has not been prepared.
        """
        return tuple(self.prepared["labels"])

    @functools.cached_property
    def store(self) -> SequenceStore:
        """Features and labels of the frames of all videos."""
        return SequenceStore(self.folder)

    def check_resumes(self, config: TrainConfig) -> None:
        """Raises ConfigError where training has begun with settings that cannot be changed any more."""
        if not self.begun_phases() or not self.config_path.exists():
            return
        before = read_config(self.config_path, TrainConfig)
        averaging = ("averaging",) if (before.averaging > 0) != (config.averaging > 0) else ()
        self.check_unchanged(config, (*OF_THE_NETWORK, *averaging))
