"""How far training has come, for whoever waits for it."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import keras

from ostinato.commands import progress_bar
from ostinato.training.checkpoint import Progress


class ProgressBar(keras.callbacks.Callback):
    """Shows a bar with the time left on a terminal; writes a line an epoch elsewhere.

        with ProgressBar(sys.stderr, score="cider_d", score_name="CIDEr-D", epochs={"frozen": 24}) as bar:
            bar.on_phase("frozen", num_updates)
            fit_resumably(..., callbacks=[bar], on_epoch=functools.partial(bar.on_epoch, "frozen"))

    The bar reads `frozen: epoch 3/24  loss 3.210  best CIDEr-D 51.3  812 photos/s`.

    Args:
      stream: standard error. If it is no terminal it gets the lines.
      score: the validation score's name in the records of `fit_resumably`; None where nothing is scored.
      score_name: what it is called here; the same if None.
      epochs: of each phase, the number of epochs; of a phase that is missing none is shown.
      unit: what is counted for the speed.
      per_update: how many of them, on average, one update takes; by phase where phases differ.
      clock: seconds from any beginning.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        score: str | None,
        score_name: str | None = None,
        epochs: Mapping[str, int] | None = None,
        unit: str = "updates",
        per_update: float | Mapping[str, float] = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self._stream, self._clock = stream, clock
        self._score, self._score_name = score, score_name or score
        self._epochs = epochs or {}
        self._unit, self._per_update = unit, per_update
        self._bars = contextlib.ExitStack()
        self._show: Callable[..., None] | None = None
        self.on_phase("", 0)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Takes the bar away."""
        self._bars.close()
        self._show = None

    def on_phase(self, phase: str, num_updates: int) -> None:
        """Begins a phase of so many updates in all."""
        self.close()
        self._phase, self._num_updates = phase, num_updates
        self._best_score: float | None = None
        self._done = 0
        self._found: int | None = None  # updates that a checkpoint held, once it has been read
        self._phase_start = self._epoch_start = self._clock()
        if num_updates and self._stream.isatty():
            self._show = self._bars.enter_context(progress_bar(phase, num_updates))

    def on_epoch(self, phase: str, progress: Progress) -> None:
        """Takes note of what a checkpoint held, then of each finished epoch."""
        self._best_score = progress.best_score
        self._done = progress.history[-1]["updates"] if progress.history else 0
        if self._show:
            self._show(self._done)
        elif self._found is not None:
            self._stream.write(self._line(progress))
        elif progress.epoch:
            self._stream.write(f"{phase}: goes on after {self._epoch_name(progress.epoch)}{self._best()}\n")
        self._stream.flush()
        if self._found is None:
            self._found = self._done

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begins to measure the speed of an epoch, counted from 0."""
        self._epoch, self._epoch_start = epoch, self._clock()
        self._done_before = self._done

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves the bar by an update."""
        self._done = self._done_before + batch + 1
        if self._show:
            loss = f"  loss {logs['loss']:.3f}" if logs else ""
            speed = self._speed(batch + 1, self._clock() - self._epoch_start)
            self._show(self._done, f"{self._phase}: {self._epoch_name(self._epoch + 1)}{loss}{self._best()}{speed}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Says why the bar stands still."""
        if self._show:
            self._show(self._done, f"{self._phase}: {self._epoch_name(epoch + 1)}  scoring{self._best()}")

    def _line(self, progress: Progress) -> str:
        record = progress.history[-1]
        before = progress.history[-2]["updates"] if len(progress.history) > 1 else 0
        speed = self._speed(self._done - before, record["seconds"])
        score = f"  {self._score_name} {record[self._score]:.1f}" if self._score else ""
        loss = f"loss {record['loss']:.3f}"
        line = f"{self._phase}: {self._epoch_name(progress.epoch)}  {loss}{score}{self._best()}{speed}"
        if progress.stopped_early:
            return f"{line}  stops, no better since epoch {progress.best_epoch}\n"
        trained = max(self._done - (self._found or 0), 1)
        missing = max(self._num_updates - self._done, 0)
        left = (self._clock() - self._phase_start) / trained * missing  # scoring included
        return f"{line}  {datetime.timedelta(seconds=round(left))} left\n"

    def _epoch_name(self, number: int) -> str:
        return f"epoch {number}/{self._epochs[self._phase]}" if self._phase in self._epochs else f"epoch {number}"

    def _best(self) -> str:
        if self._score is None or self._best_score is None:
            return ""
        return f"  best {self._score_name} {self._best_score:.1f}"

    def _speed(self, updates: int, seconds: float) -> str:
        if seconds <= 0:
            return ""
        per_update = self._per_update
        speed = (per_update[self._phase] if isinstance(per_update, Mapping) else per_update) * updates / seconds
        return f"  {speed:,.0f} {self._unit}/s" if speed >= 10 else f"  {speed:.1f} {self._unit}/s"
