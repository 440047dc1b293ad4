"""Training of a run's classifier on its sequences, validated on whole sequences."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ostinato.errors import DataError
from ostinato.metrics import score_clips, score_frames
from ostinato.sequences.batches import Variation
from ostinato.sequences.config import StreamConfig
from ostinato.sequences.joining import Joining
from ostinato.sequences.outputs import StreamOutput
from ostinato.sequences.run import StreamRun
from ostinato.sequences.store import UNLABELLED
from ostinato.sequences.training import TRAINING, StreamTraining, make_classifier
from ostinato.training import BEST_WEIGHTS, Progress, Watcher, load_weights, save_weights, write_history

_LOG = logging.getLogger(__name__)
MACRO_F1, CLIP_ACCURACY = "macro_f1", "clip_accuracy"
SCORE_NAMES = {MACRO_F1: "macro-F1", CLIP_ACCURACY: "clip accuracy"}


class RunTraining:
    """One run: its data, its network.

    Args:
      run: a prepared run directory.
      config: settings.
      watcher: told how it goes.
      vary: changes windows at random.
      joining: makes streams of some of the clips.
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
        run: StreamRun,
        config: StreamConfig,
        watcher: Watcher | None = None,
        vary: Variation | None = None,
        joining: Joining | None = None,
        **network: Any,
    ):
        self.run, self.config, self.watcher = run, config, watcher or Watcher()
        self.train_rows, self.dev_rows = self._labelled_rows("train"), self._labelled_rows("dev")
        if not self.train_rows:
            raise DataError(f"{run.folder} has no labelled sequences of the split 'train'; prepare data that has some")
        self.classifier = make_classifier(config, len(run.labels), run.store.feature_size, **network)
        self.streams = StreamTraining(
            self.classifier, run.store, run.store.with_variants(self.train_rows), config, vary, joining
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
        folder = self.run.phase_folder(TRAINING)
        progress = self.streams.run_resumably(
            folder,
            lambda: self.validate(self.streams.read),
            score=self.score,
            watcher=self.watcher,
            on_epoch=self._on_epoch,
        )
        load_weights(folder / BEST_WEIGHTS, self.streams.model)
        _LOG.info("%s", self.told(progress.history))
        save_weights(self.run.model_path, self.classifier)
        return progress.history

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

    def _on_epoch(self, progress: Progress) -> None:
        write_history(self.run.metrics_path, progress.history)
        self.watcher.on_epoch(TRAINING, progress)
