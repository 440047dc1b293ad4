"""Training that can be stopped at any moment and goes on where it was."""

from __future__ import annotations

import json
import logging
import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ostinato.training.batches import EndWithLastBatch
from ostinato.training.checkpoint import Progress, load_checkpoint, save_checkpoint, save_weights
from ostinato.training.optimizers import averaged_weights

_LOG = logging.getLogger(__name__)

CHECKPOINT, BEST_WEIGHTS = "checkpoint.npz", "best.npz"


def fit_resumably(
    model: keras.Model,
    batches: Callable[[int], Iterable],
    validate: Callable[[], Mapping[str, float]],
    folder: Path,
    *,
    epochs: int,
    score: str | None,
    patience: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    on_epoch: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Trains with Keras `fit`, epoch by epoch, and resumes a run that was stopped.

    After each epoch the averaged weights are scored by `validate` (on what decoding really yields, not on the loss),
    kept as `best.npz` if they are the best so far, and everything needed to go on is written to `checkpoint.npz`.
    A run that is interrupted or killed loses the epoch that it was in, nothing else: the order of the examples
    depends on the seed and the number of the epoch alone.

    Args:
      model: built and compiled.
      batches: from the number of an epoch (from 0) to its batches, anything that `fit` takes.
      validate: returns scores by name; called with averaged weights in place.
      folder: where the checkpoint and the best weights lie; a checkpoint found there is resumed.
      epochs: epochs in all.
      score: name of the validation score that decides what is best; greater is better. None where nothing can be
        validated: the last epoch is then the best.
      patience: epochs without a better score after which training stops; 0 trains to the end. A run that stopped goes
        on if it is run again with more patience.
      callbacks: handed to `fit`.
      on_epoch: called with the progress after each checkpoint, and once with what a checkpoint held.

    Returns:
      The progress, whose history has one record an epoch.

    Raises:
      ModelError: the checkpoint belongs to a model of other settings, or is damaged.
    """
    checkpoint = folder / CHECKPOINT
    progress = load_checkpoint(checkpoint, model) if checkpoint.exists() else Progress()
    if not model.optimizer.built:  # made within the first update, its variables would have it traced twice
        model.optimizer.build(model.trainable_variables)
    progress.stopped_early = _has_waited_long_enough(progress, patience)
    on_epoch(progress)
    while not progress.stopped_early and progress.epoch < epochs:
        start = time.monotonic()
        with warnings.catch_warnings():
            # An epoch is over when its batches are; Keras would warn of it wherever their number is not known before.
            warnings.filterwarnings("ignore", message="Your input ran out of data")
            data = batches(progress.epoch)
            history = model.fit(
                data,
                initial_epoch=progress.epoch,
                epochs=progress.epoch + 1,
                verbose=0,
                shuffle=False,  # `batches` decides on the order
                callbacks=[*callbacks, EndWithLastBatch(data)],
            )
        seconds = time.monotonic() - start
        with averaged_weights(model):
            scores = dict(validate())
            progress.epoch += 1
            value = float(progress.epoch) if score is None else scores[score]
            if _is_better(value, progress.best_score):
                progress.best_score, progress.best_epoch = value, progress.epoch
                save_weights(folder / BEST_WEIGHTS, model)
        progress.history.append(
            {
                "epoch": progress.epoch,
                "loss": round(history.history["loss"][-1], 5),
                **{name: round(value, 3) for name, value in scores.items()},
                "learning_rate": float(np.asarray(model.optimizer.learning_rate)),
                "updates": int(np.asarray(model.optimizer.iterations)),
                "seconds": round(seconds, 3),
            }
        )
        progress.stopped_early = _has_waited_long_enough(progress, patience)
        save_checkpoint(checkpoint, model, progress)
        _LOG.info("%s", json.dumps(progress.history[-1]))
        on_epoch(progress)
    return progress


def _is_better(score: float, best: float | None) -> bool:
    return best is None or score > best or (math.isnan(best) and not math.isnan(score))


def _has_waited_long_enough(progress: Progress, patience: int) -> bool:
    return patience > 0 and progress.epoch - progress.best_epoch >= patience


def write_history(path: Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Writes one JSON object a line. The whole file is replaced, so no epoch is missing or double after a crash."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    partial.replace(path)
