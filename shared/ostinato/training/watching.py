"""What a user sees of training: a bar with the time left, or a line an epoch, and curves in TensorBoard."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ostinato.training.checkpoint import Progress
from ostinato.training.progress_bar import ProgressBar
from ostinato.training.tensorboard_curves import TensorBoardCurves
from ostinato.training.watcher import Watcher


@contextlib.contextmanager
def watch(
    folder: Path,
    *,
    score: str | None,
    score_name: str | None,
    epochs: Mapping[str, int],
    unit: str,
    per_update: float | Mapping[str, float],
) -> Iterator[Watcher]:
    """Shows training on standard error while the context lasts.

    Args:
      folder: run directory, in which the curves are kept.
      score: the validation score's name in the records of `fit_resumably`; None where nothing is scored.
      score_name: what it is called in the bar.
      epochs: of each phase, the number of epochs.
      unit: what is counted for the speed.
      per_update: how many of them, on average, one update takes; by phase where phases differ.
    """
    curves = TensorBoardCurves(folder / "tensorboard")
    with ProgressBar(
        sys.stderr, score=score, score_name=score_name, epochs=epochs, unit=unit, per_update=per_update
    ) as bar:

        def on_epoch(phase: str, progress: Progress) -> None:
            bar.on_epoch(phase, progress)
            curves.on_epoch(phase, progress)

        yield Watcher(on_phase=bar.on_phase, on_epoch=on_epoch, callbacks=[bar])
