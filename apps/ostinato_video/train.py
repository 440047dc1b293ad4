"""The two phases of training: on cached features, and, where it is asked for, with the image network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ostinato.errors import ConfigError
from ostinato.sequences.run_training import RunTraining
from ostinato.sequences.training import TRAINING
from ostinato.training import CHECKPOINT, read_progress
from ostinato_video.config import TrainConfig
from ostinato_video.run import FINE_TUNE, Run


class Training(RunTraining[Run, TrainConfig]):
    """One run: its data, its network, its phases; see `RunTraining`."""

    def __call__(self) -> list[dict[str, Any]]:
        """Runs what is left of the phases and returns one record an epoch.

        Raises:
          ModelError: a checkpoint is damaged or was made with other settings.
          DataError, ConfigError: see `check_phases`.
        """
        self.check_phases()
        records = super().__call__()
        return self._fine_tune() if self.config.fine_tunes else records

    def check_phases(self) -> None:
        """Finds what would fail only after the first phase.

        Raises:
          ConfigError: the phase fine_tune is left out and has been trained already.
          ConfigError, DataError: see `Run.check_can_fine_tune`.
        """
        if self.config.fine_tunes:
            self.run.check_can_fine_tune([*self.train_rows, *self.dev_rows])
        elif (self.run.phase_folder(FINE_TUNE) / CHECKPOINT).exists():
            raise ConfigError(
                f"{self.run.folder} has been trained in phase {FINE_TUNE}, which cannot be left out any more; give it "
                "its blocks and epochs again, or use a new run directory"
            )

    def told(self, records: Sequence[Mapping[str, Any]]) -> str:
        """Returns in words which of the epochs was kept: the last phase decides."""
        fine_tuned = [record for record in records if record.get("phase") == FINE_TUNE]
        return f"{super().told(fine_tuned)} of phase {FINE_TUNE}" if fine_tuned else super().told(records)

    def _fine_tune(self) -> list[dict[str, Any]]:
        from ostinato_video.fine_tuning import FineTuning  # only now: the first phase needs no TensorFlow

        tuning = FineTuning(self.run, self.classifier, self.train_rows, self.config)
        return self.run_phase(FINE_TUNE, tuning, self.run.fine_tuned_path, lambda progress: self._records())

    def _records(self) -> list[dict[str, Any]]:
        return [
            {"phase": phase, **record}
            for phase in (TRAINING, FINE_TUNE)
            for record in read_progress(self.run.phase_folder(phase) / CHECKPOINT).history
        ]
