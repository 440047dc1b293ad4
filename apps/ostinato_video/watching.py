"""What a user sees of the training of video."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ostinato.sequences.run_training import SCORE_NAMES
from ostinato.sequences.training import TRAINING
from ostinato.training import Watcher
from ostinato.training import watch as watch_training
from ostinato_video.run import FINE_TUNE
from ostinato_video.train import Training


def watch(training: Training) -> AbstractContextManager[Watcher]:
    """Shows a training on standard error while the context lasts."""
    batches, config = training.streams.batches, training.config
    videos = min(config.fine_tune_batch_size, len(training.train_rows))
    return watch_training(
        training.run.folder,
        score=training.score,
        score_name=SCORE_NAMES.get(training.score or ""),
        epochs={TRAINING: config.epochs, FINE_TUNE: config.fine_tune_epochs},
        unit="frames",
        per_update={
            TRAINING: batches.num_frames / max(batches.num_batches(), 1),
            FINE_TUNE: float(videos * config.fine_tune_window),
        },
    )
