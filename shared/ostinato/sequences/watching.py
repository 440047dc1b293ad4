"""What a user sees of the training of a classifier of streams."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ostinato.sequences.run_training import SCORE_NAMES, RunTraining
from ostinato.sequences.training import TRAINING
from ostinato.training import Watcher
from ostinato.training import watch as watch_training


def watch(training: RunTraining) -> AbstractContextManager[Watcher]:
    """Shows a training on standard error while the context lasts."""
    batches = training.streams.batches
    return watch_training(
        training.run.folder,
        score=training.score,
        score_name=SCORE_NAMES.get(training.score or ""),
        epochs={TRAINING: training.config.epochs},
        unit="frames",
        per_update=batches.num_frames / max(batches.num_batches(), 1),
    )
