"""Fitting, resuming, schedules and averaging, for every application, on any Keras backend."""

from ostinato.training.batches import bucketed_batches, feed, feed_epochs, shift
from ostinato.training.checkpoint import Progress, load_weights, read_progress, save_weights
from ostinato.training.fit import BEST_WEIGHTS, CHECKPOINT, fit_resumably, write_history
from ostinato.training.losses import SmoothedCrossEntropy
from ostinato.training.optimizers import averaged_weights, make_optimizer
from ostinato.training.progress_bar import ProgressBar
from ostinato.training.self_critical import advantages, drawn_targets
from ostinato.training.tensorboard_curves import TensorBoardCurves
from ostinato.training.watcher import Watcher
from ostinato.training.watching import watch

__all__ = [
    "BEST_WEIGHTS",
    "CHECKPOINT",
    "Progress",
    "ProgressBar",
    "SmoothedCrossEntropy",
    "TensorBoardCurves",
    "Watcher",
    "advantages",
    "averaged_weights",
    "bucketed_batches",
    "drawn_targets",
    "feed",
    "feed_epochs",
    "fit_resumably",
    "load_weights",
    "make_optimizer",
    "read_progress",
    "save_weights",
    "shift",
    "watch",
    "write_history",
]
