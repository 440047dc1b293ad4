"""The run directory of translation: the training sentences as piece ids besides what every run has."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import ClassVar

import numpy as np

from ostinato.config import read_config
from ostinato.run_directory import RunDirectory
from ostinato_translate.config import PrepareConfig, TrainConfig, network_settings
from ostinato_translate.languages import language_ids


@dataclasses.dataclass(frozen=True)
class Run(RunDirectory):
    """The files of a run directory, by what they are.

    Args:
      folder: the run directory.
    """

    application: ClassVar[str] = "ostinato_translate"

    @property
    def tokens_path(self) -> Path:
        """uint16 or uint32 [pieces]: ids of all training sentences, one after the other, without start and end."""
        return self.folder / "tokens.npy"

    @property
    def offsets_path(self) -> Path:
        """int64 [rows * L + 1]: where each sentence begins, row by row with the languages in order; the end last."""
        return self.folder / "offsets.npy"

    @property
    def start_path(self) -> Path:
        """Weights that training begins with, where `prepare` took them over from a model."""
        return self.folder / "start.npz"

    @property
    def start_pieces_path(self) -> Path:
        """Pieces that the model which `prepare` took them from writes each language with, where it says so."""
        return self.folder / "start_pieces.npz"

    @property
    def dev_path(self) -> Path:
        """The validation rows, one JSON object of sentences by language a line, as people wrote them."""
        return self.folder / "dev.jsonl"

    @property
    def prepare_config(self) -> PrepareConfig:
        config = self.prepared["config"]
        return PrepareConfig(**{**config, "languages": tuple(config["languages"])})

    def check_resumes(self, config: TrainConfig) -> None:
        """Raises ConfigError where weights are there that do not fit settings any more."""
        has_begun = bool(self.begun_phases())
        if not self.config_path.exists() or not (has_begun or self.start_path.exists()):
            return
        before = read_config(self.config_path, TrainConfig)
        fixed = list(network_settings(config))
        if has_begun:
            fixed.append("directions")
            if (before.averaging > 0) != (config.averaging > 0):
                fixed.append("averaging")
        self.check_unchanged(config, fixed)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the L languages, in the order of the arrays."""
        return self.prepare_config.languages

    @functools.cached_property
    def language_ids(self) -> list[int]:
        """Ids of the control pieces of the languages, in their order."""
        return language_ids(self.tokenizer, self.languages)

    @functools.cached_property
    def tokens(self) -> np.ndarray:
        """`tokens_path` as a memory map: sentences are read from disk as they are used."""
        return np.load(self.tokens_path, mmap_mode="r")

    @functools.cached_property
    def offsets(self) -> np.ndarray:
        """`offsets_path` as a memory map."""
        return np.load(self.offsets_path, mmap_mode="r")

    @functools.cached_property
    def num_rows(self) -> int:
        """Number of training rows."""
        return (len(self.offsets) - 1) // len(self.languages)

    @functools.cached_property
    def lengths(self) -> np.ndarray:
        """Pieces of each training sentence, int32 [rows, L]; 0 where a row lacks the language."""
        return np.diff(self.offsets).astype(np.int32).reshape(self.num_rows, len(self.languages))

    def sentence(self, row: int, language: str) -> np.ndarray:
        """Returns the piece ids [pieces] of a training sentence, empty where the row lacks the language."""
        place = row * len(self.languages) + self.languages.index(language)
        return self.tokens[self.offsets[place] : self.offsets[place + 1]]

    @functools.cached_property
    def dev_rows(self) -> list[dict[str, str]]:
        """The validation rows, each with two languages or more."""
        with self.dev_path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
