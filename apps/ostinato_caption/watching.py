"""What a user sees of the training of captioning."""

from __future__ import annotations

from contextlib import AbstractContextManager

from ostinato.training import Watcher
from ostinato.training import watch as watch_training
from ostinato_caption.config import TrainConfig
from ostinato_caption.run import Run
from ostinato_caption.train import FINE_TUNE, FROZEN, SELF_CRITICAL


def watch(run: Run, config: TrainConfig) -> AbstractContextManager[Watcher]:
    """Shows the training of a run on standard error while the context lasts."""
    epochs = {
        FROZEN: config.epochs,
        FINE_TUNE: config.fine_tune_epochs,
        SELF_CRITICAL: config.self_critical_epochs,
    }
    return watch_training(
        run.folder,
        score="cider_d",
        score_name="CIDEr-D",
        epochs=epochs,
        unit="photos",
        per_update=config.photos_per_batch,
    )
