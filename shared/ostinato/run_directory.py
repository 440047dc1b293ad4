"""The run directory: everything that one training run needs or makes, in one folder."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ostinato.config import read_config
from ostinato.errors import ConfigError, DataError, ModelError
from ostinato.files import write_atomically
from ostinato.text import Tokenizer


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """The files that the run directories of all applications have, by what they are.

    Args:
      folder: the run directory.

    Attributes:
      application: package of the application, whose reports go to the log file as well as the library's.
    """

    folder: Path

    application: ClassVar[str] = "ostinato"

    @property
    def tokenizer_path(self) -> Path:
        return self.folder / "tokenizer.model"

    @property
    def prepared_path(self) -> Path:
        """Written last by `prepare`: its settings, counts, and a fingerprint of the data."""
        return self.folder / "prepared.json"

    @property
    def config_path(self) -> Path:
        return self.folder / "train.toml"

    @property
    def metrics_path(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def log_path(self) -> Path:
        return self.folder / "train.log"

    @property
    def model_path(self) -> Path:
        """Weights of the whole network, written when training is complete."""
        return self.folder / "model.npz"

    def check_trained(self) -> None:
        """Raises ModelError where training is not complete."""
        if not self.model_path.exists():
            raise ModelError(f"{self.folder} holds no trained model yet; run `train` to its end first")

    def phase_folder(self, phase: str) -> Path:
        """Folder of the checkpoints of one phase of training."""
        return self.folder / "checkpoints" / phase

    def begun_phases(self) -> set[str]:
        """Returns the phases that have a checkpoint."""
        return {path.parent.name for path in self.folder.glob("checkpoints/*/*.npz")}

    def check_phases(self, epochs: Mapping[str, int]) -> None:
        """Raises ConfigError where a phase has no epochs that has a checkpoint already."""
        begun = self.begun_phases()
        for phase, number in epochs.items():
            if not number and phase in begun:
                raise ConfigError(
                    f"{self.folder} has been trained in phase {phase}, which cannot be left out any more; give it its "
                    "epochs again, or use a new run directory"
                )

    @functools.cached_property
    def prepared(self) -> dict[str, Any]:
        """What `prepare` wrote about itself.

        Raises:
          DataError: `prepare` has not been run, or did not come to its end.
        """
        try:
            return json.loads(self.prepared_path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DataError(f"{self.folder} is no prepared run directory; run `prepare` first") from error
        except ValueError as error:
            raise DataError(f"{self.prepared_path} is damaged; prepare a new run directory") from error

    def is_prepared_from(self, fingerprint: str) -> bool:
        """Tells whether this very preparation has been done: False if none has.

        Raises:
          DataError: it was prepared from other data or with other settings.
        """
        if not self.prepared_path.exists():
            return False
        if self.prepared["fingerprint"] != fingerprint:
            raise DataError(f"{self.folder} was prepared from other data or settings; name a new --run")
        return True

    def write_prepared(self, config: Any, fingerprint: str, counts: Any, **more: Any) -> None:
        """Writes what makes the directory a prepared one.

        Args:
          config: settings, a dataclass.
          fingerprint: differs wherever data or settings do.
          counts: what was found, a dataclass.
          more: whatever else the application wants to find in `prepared`.
        """
        record = {
            "config": dataclasses.asdict(config),
            "fingerprint": fingerprint,
            "counts": dataclasses.asdict(counts),
            **more,
        }
        write_atomically(self.prepared_path, json.dumps(record, indent=2, ensure_ascii=False) + "\n")

    def check_unchanged(self, config: Any, names: Iterable[str]) -> None:
        """Raises ConfigError where one of the named settings differs from those that training began with."""
        before = read_config(self.config_path, type(config))
        for name in names:
            old, new = getattr(before, name), getattr(config, name)
            if old != new:
                raise ConfigError(
                    f"{self.folder} was begun with {name} = {old}, not {new}; keep it, or prepare a new run directory"
                )

    @contextlib.contextmanager
    def log(self) -> Iterator[None]:
        """Within the context, what is reported of training is appended to the log file."""
        handler = logging.FileHandler(self.log_path, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        loggers = [logging.getLogger(name) for name in dict.fromkeys(("ostinato", self.application))]
        for logger in loggers:
            logger.setLevel(logging.INFO)
            logger.addHandler(handler)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(handler)
            handler.close()

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        return Tokenizer.load(self.tokenizer_path)
