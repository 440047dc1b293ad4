"""The run directory of video: features and labels of frames besides what every run has."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

from ostinato.errors import ModelError
from ostinato.sequences.config import StreamConfig
from ostinato.sequences.run import StreamRun
from ostinato_video.config import PrepareConfig, TrainConfig

FINE_TUNE = "fine_tune"  # the second phase


@dataclasses.dataclass(frozen=True)
class Run(StreamRun):
    """The files of a run directory, by what they are.

    Args:
      folder: the run directory.
    """

    application: ClassVar[str] = "ostinato_video"
    config_class: ClassVar[type[StreamConfig]] = TrainConfig

    @property
    def fine_tuned_path(self) -> Path:
        """Weights of the network with its image network, where that was fine-tuned; `model_path` has none of these."""
        return self.folder / "fine_tuned.npz"

    @property
    def prepare_config(self) -> PrepareConfig:
        """How its videos were read.

        Raises:
          DataError: it has not been prepared.
        """
        config = self.prepared["config"]
        return PrepareConfig(**{**config, "parts": tuple(config["parts"])})

    @property
    def train_config(self) -> TrainConfig:
        """The settings of its training, or the defaults where it has not begun."""
        config: Any = self.read_train_config()
        return config

    def check_trained(self) -> None:
        """Raises ModelError where training is not complete."""
        super().check_trained()
        if self.train_config.fine_tunes and not self.fine_tuned_path.exists():
            raise ModelError(f"{self.folder} has not been fine-tuned to the end; run `train` again")

    def check_resumes(self, config: StreamConfig) -> None:
        """Raises ConfigError where training has begun with settings that cannot be changed any more."""
        super().check_resumes(config)
        if FINE_TUNE in self.begun_phases() and self.config_path.exists():
            self.check_unchanged(config, ("fine_tune_blocks", "fine_tune_batch_size"))
