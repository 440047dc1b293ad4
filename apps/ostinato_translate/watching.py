"""What a user sees of the training of translation."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ostinato.training import Watcher
from ostinato.training import watch as watch_training
from ostinato_translate.train import TRAINING, Training


def watch(training: Training) -> AbstractContextManager[Watcher]:
    """Shows a training on standard error while the context lasts."""
    batches, config = training.batches, training.config
    updates_per_pass = batches.num_batches() * config.epochs_per_pass
    return watch_training(
        training.run.folder,
        score="bleu",
        score_name="BLEU",
        epochs={TRAINING: config.epochs},
        unit="target tokens",
        per_update=batches.num_target_tokens / updates_per_pass,
    )
