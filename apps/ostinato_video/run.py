"""The run directory of video: features and labels of frames besides what every run has."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from ostinato.errors import ConfigError, DataError, ModelError
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

    def check_can_fine_tune(self, rows: Sequence[int]) -> None:
        """Finds what would fail in the phase fine_tune, on the videos of these rows.

        Raises:
          ConfigError: its image network is not made of blocks that can be freed, or TensorFlow does not run.
          DataError: videos are gone; one that is missing would stop an epoch halfway.
        """
        import keras

        from ostinato.layers.efficientnet_lite import EFFICIENTNET_LITE

        network = self.prepare_config.network
        if network not in EFFICIENTNET_LITE:
            names = ", ".join(EFFICIENTNET_LITE)
            raise ConfigError(f"only {names} can be fine-tuned, not {network}; set --fine-tune-blocks 0")
        if keras.backend.backend() != "tensorflow":
            raise ConfigError(
                f"frames are read by TensorFlow, not {keras.backend.backend()}; set KERAS_BACKEND=tensorflow, or "
                "--fine-tune-blocks 0"
            )
        videos = [self.store.records[row].name for row in rows]
        missing = [video for video in videos if not Path(video).is_file()]
        if missing:
            raise DataError(
                f"{len(missing)} videos of {self.folder} are gone, such as {missing[0]}; put them back, or train "
                "without them by --fine-tune-blocks 0"
            )

    def check_resumes(self, config: StreamConfig) -> None:
        """Raises ConfigError where training has begun with settings that cannot be changed any more."""
        super().check_resumes(config)
        if FINE_TUNE in self.begun_phases() and self.config_path.exists():
            self.check_unchanged(config, ("fine_tune_blocks", "fine_tune_batch_size"))
