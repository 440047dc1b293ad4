"""The run directory of a classifier of streams: sequences and labels besides what every run has."""

from __future__ import annotations

import dataclasses
import functools
from typing import ClassVar

from ostinato.config import read_config
from ostinato.run_directory import RunDirectory
from ostinato.sequences.config import OF_THE_NETWORK, StreamConfig
from ostinato.sequences.store import SequenceStore


@dataclasses.dataclass(frozen=True)
class StreamRun(RunDirectory):
    """The files of a run directory, by what they are.

    Args:
      folder: the run directory.

    Attributes:
      config_class: what its `train.toml` holds.
      of_the_network: settings that cannot be changed once training has begun.
    """

    config_class: ClassVar[type[StreamConfig]] = StreamConfig
    of_the_network: ClassVar[tuple[str, ...]] = OF_THE_NETWORK

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the L labels, in the order of all scores.

        Raises:
          DataError: it has not been prepared.
        """
        return tuple(self.prepared["labels"])

    @functools.cached_property
    def store(self) -> SequenceStore:
        """Features and labels of the frames of all sequences."""
        return SequenceStore(self.folder)

    def read_train_config(self) -> StreamConfig:
        """Returns the settings of its training, or the defaults where it has not begun."""
        return read_config(self.config_path, self.config_class) if self.config_path.exists() else self.config_class()

    def check_resumes(self, config: StreamConfig) -> None:
        """Raises ConfigError where training has begun with settings that cannot be changed any more."""
        if not self.begun_phases() or not self.config_path.exists():
            return
        before = read_config(self.config_path, self.config_class)
        averaging = ("averaging",) if (before.averaging > 0) != (config.averaging > 0) else ()
        self.check_unchanged(config, (*self.of_the_network, *averaging))
