"""The run directory of captioning: examples and cached image features besides what every run has."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import ClassVar

import numpy as np

from ostinato.config import read_config
from ostinato.errors import DataError
from ostinato.run_directory import RunDirectory
from ostinato_caption.config import PrepareConfig, TrainConfig
from ostinato_caption.data import Example

_OF_THE_NETWORK = ("embedding_size", "decoders", "units", "attention", "attention_units")


@dataclasses.dataclass(frozen=True)
class Run(RunDirectory):
    """The files of a run directory, by what they are.

    Args:
      folder: the run directory.
    """

    application: ClassVar[str] = "ostinato_caption"

    @property
    def examples_path(self) -> Path:
        """One JSON object a line; the number of the line is the row of the photo's features."""
        return self.folder / "examples.jsonl"

    @property
    def features_path(self) -> Path:
        """float16 [photos, views, S, D] of the network as `prepare` found it; after the photo come its other views."""
        return self.folder / "features.npy"

    @property
    def varied_features_path(self) -> Path:
        """As `features_path`, of the network as phase 3 finds it; all views but the first are varied at random."""
        return self.folder / "features_varied.npy"

    @property
    def prepare_config(self) -> PrepareConfig:
        return PrepareConfig(**self.prepared["config"])

    def check_resumes(self, config: TrainConfig) -> None:
        """Raises ConfigError where training has begun with settings that cannot be changed any more."""
        begun = self.begun_phases()
        if not begun or not self.config_path.exists():
            return
        before = read_config(self.config_path, TrainConfig)
        fixed = [*_OF_THE_NETWORK, *(["fine_tune_blocks"] if "fine_tune" in begun else [])]
        if (before.averaging > 0) != (config.averaging > 0):
            fixed.append("averaging")
        self.check_unchanged(config, fixed)

    @functools.cached_property
    def examples(self) -> list[Example]:
        """All usable photos, in the order of their features."""
        with self.examples_path.open(encoding="utf-8") as file:
            return [Example(**{**record, "captions": tuple(record["captions"])}) for record in map(json.loads, file)]

    def rows(self, split: str) -> np.ndarray:
        """Returns the rows int [n] of one split.

        Raises:
          DataError: it is empty.
        """
        rows = np.array([row for row, example in enumerate(self.examples) if example.split == split], dtype=np.int64)
        if not len(rows):
            raise DataError(f"{self.folder} has no photos of the split {split!r}; prepare data that has some")
        return rows

    def features(self, *, varied: bool = False) -> np.ndarray:
        """Returns the cached features as a memory map: photos are read from disk as they are used."""
        return np.load(self.varied_features_path if varied else self.features_path, mmap_mode="r")
