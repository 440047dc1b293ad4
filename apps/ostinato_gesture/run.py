"""The run directory of gestures: sequences of landmarks or of other features, and their labels."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ostinato.sequences.config import OF_THE_NETWORK, StreamConfig
from ostinato.sequences.run import StreamRun
from ostinato_gesture.config import PrepareConfig, TrainConfig


@dataclasses.dataclass(frozen=True)
class Run(StreamRun):
    """The files of a run directory, by what they are.

    Args:
      folder: the run directory.
    """

    application: ClassVar[str] = "ostinato_gesture"
    config_class: ClassVar[type[StreamConfig]] = TrainConfig
    of_the_network: ClassVar[tuple[str, ...]] = (*OF_THE_NETWORK, "differences", "points")

    @property
    def prepare_config(self) -> PrepareConfig:
        """How its sequences were made.

        Raises:
          DataError: it has not been prepared.
        """
        return PrepareConfig(**self.prepared["config"])

    @property
    def kind(self) -> str:
        """What a frame holds: `landmarks` float [2, 21, 3], or `features` float [D] of any other kind."""
        return self.prepared["kind"]

    @property
    def none(self) -> str | None:
        """The label of what is no gesture; None where there is none."""
        label = self.prepare_config.background_label
        return label if label in self.labels else None

    @property
    def train_config(self) -> TrainConfig:
        """The settings of its training, or the defaults where it has not begun."""
        config: Any = self.read_train_config()
        return config
