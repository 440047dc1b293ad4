"""What a user sees of the training of translation."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ostinato.training import Watcher
from ostinato.training import watch as watch_training
from ostinato_translate.train import Training


def watch(training: Training) -> AbstractContextManager[Watcher]:
    """Shows a training on standard error while the context lasts."""
    return watch_training(
        training.run.folder,
        score="bleu",
        score_name="BLEU",
        epochs=training.epochs,
        unit="target tokens",
        per_update={
            phase: batches.num_target_tokens / (batches.num_batches() * training.config.epochs_per_pass)
            for phase, batches in training.batches.items()
        },
    )
