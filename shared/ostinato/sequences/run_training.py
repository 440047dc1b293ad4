"""Training of a run's classifier on its sequences, validated on whole sequences."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from ostinato.errors import DataError
from ostinato.metrics import score_clips, score_frames
from ostinato.sequences.batches import Variation
from ostinato.sequences.blending import Blending
from ostinato.sequences.config import StreamConfig
from ostinato.sequences.joining import Joining
from ostinato.sequences.outputs import StreamOutput
from ostinato.sequences.run import StreamRun
from ostinato.sequences.store import UNLABELLED
from ostinato.sequences.training import TRAINING, Learner, StreamTraining, make_classifier
from ostinato.training import (
    BEST_WEIGHTS,
    Progress,
    Watcher,
    fit_resumably,
    load_weights,
    save_weights,
    write_history,
)

_LOG = logging.getLogger(__name__)
MACRO_F1, CLIP_ACCURACY = "macro_f1", "clip_accuracy"
SCORE_NAMES = {MACRO_F1: "macro-F1", CLIP_ACCURACY: "clip accuracy"}

RunType = TypeVar("RunType", bound=StreamRun)
ConfigType = TypeVar("ConfigType", bound=StreamConfig)


class RunTraining(Generic[RunType, ConfigType]):
    """One run: its data, its network; of the types of run and settings that an application has.

    Args:
      run: a prepared run directory.
      config: settings.
      watcher: told how it goes.
      vary: changes windows at random.
      joining: makes streams of some of the clips.
      blending: blends some of the clips with others of their label.
      network: further arguments of `SequenceClassifier`.

    Attributes:
      score: name of the validation score that decides which weights are kept: `clip_accuracy` on the split dev where
        any whole sequence has a label, `macro_f1` over its frames where only these have; None where there is nothing
        to validate on, and the last epoch is kept.

    Raises:
      DataError: no sequence for training has a label.
    """

    def __init__(
        self,
        run: RunType,
        config: ConfigType,
        watcher: Watcher | None = None,
        vary: Variation | None = None,
        joining: Joining | None = None,
        blending: Blending | None = None,
        **network: Any,
    ):
        self.run, self.config, self.watcher = run, config, watcher or Watcher()
        self.train_rows, self.dev_rows = self._labelled_rows("train"), self._labelled_rows("dev")
        if not self.train_rows:
            raise DataError(f"{run.folder} has no labelled sequences of the split 'train'; prepare data that has some")
        self.classifier = make_classifier(config, len(run.labels), run.store.feature_size, **network)
        self.streams = StreamTraining(
            self.classifier, run.store, run.store.with_variants(self.train_rows), config, vary, joining, blending
        )
        self.score: str | None = None
        if self.dev_rows:
            has_clips = any(run.store.records[row].label != UNLABELLED for row in self.dev_rows)
            self.score = CLIP_ACCURACY if has_clips else MACRO_F1

    def __call__(self) -> list[dict[str, Any]]:
        """Trains, or goes on, and returns one record an epoch.

        Raises:
          ModelError: the checkpoint is damaged or was made with other settings.
        """
        return self.run_phase(TRAINING, self.streams, self.run.model_path)

    def run_phase(
        self,
        phase: str,
        learner: Learner,
        path: Path,
        records: Callable[[Progress], list[dict[str, Any]]] = lambda progress: progress.history,
    ) -> list[dict[str, Any]]:
        """Runs what is left of a phase, and leaves the weights of its best epoch in place.

        Args:
          phase: its name.
          learner: what learns in it.
          path: where the weights of its classifier are kept.
          records: returns one record an epoch, of the phases before too.

        Returns:
          the records.

        Raises:
          ModelError: the checkpoint is damaged or was made with other settings.
        """
        folder = self.run.phase_folder(phase)

        def on_epoch(progress: Progress) -> None:
            write_history(self.run.metrics_path, records(progress))
            self.watcher.on_epoch(phase, progress)

        self.watcher.on_phase(phase, learner.num_updates)
        progress = fit_resumably(
            learner.model,
            learner.feed,
            lambda: self.validate(learner.read),
            folder,
            epochs=learner.num_epochs,
            score=self.score,
            callbacks=self.watcher.callbacks,
            on_epoch=on_epoch,
        )
        load_weights(folder / BEST_WEIGHTS, learner.model)
        _LOG.info("%s", self.told(records(progress)))
        save_weights(path, learner.classifier)
        return records(progress)

    def told(self, records: Sequence[Mapping[str, Any]]) -> str:
        """Returns in words which of the epochs was kept."""
        score = self.score
        if score is None:
            return f"kept epoch {len(records)}, the last, since no group is kept for validation"
        best = max(records, key=lambda record: record[score])
        return f"best {SCORE_NAMES[score]} {best[score]:.1f} in epoch {best['epoch']} of {len(records)}"

    def _labelled_rows(self, split: str) -> list[int]:
        store = self.run.store
        return [
            row for row in store.rows(split) if store.records[row].label != UNLABELLED or store.has_frame_labels([row])
        ]

    def validate(self, read: Callable[[Sequence[int]], Sequence[StreamOutput]]) -> Mapping[str, float]:
        """Returns scores on the split dev, none where nothing is kept for it.

        Args:
          read: says what the network says of these rows of the store.
        """
        if self.score is None:
            return {}
        store = self.run.store
        if self.score == CLIP_ACCURACY:
            rows = [row for row in self.dev_rows if store.records[row].label != UNLABELLED]
            predicted = [int(np.argmax(output.clip_logits)) for output in read(rows)]
            return {CLIP_ACCURACY: score_clips(predicted, [store.records[row].label for row in rows]).accuracy}
        outputs = read(self.dev_rows)
        labels = np.concatenate([store.truth_of(row) for row in self.dev_rows])
        best = np.concatenate([np.argmax(output.frame_logits, axis=-1) for output in outputs])
        known = labels != UNLABELLED
        scores = score_frames(best[known], labels[known], num_labels=len(self.run.labels))
        return {MACRO_F1: scores.macro_f1, "frame_accuracy": scores.frame_accuracy}
