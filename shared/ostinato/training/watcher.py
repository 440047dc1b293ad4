"""Whom training tells how it goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import keras

from ostinato.training.checkpoint import Progress


@dataclasses.dataclass(frozen=True)
class Watcher:
    """Is told how training goes; of itself it does nothing."""

    on_phase: Callable[[str, int], None] = lambda phase, num_updates: None
    """a phase begins, of so many updates in all"""
    on_epoch: Callable[[str, Progress], None] = lambda phase, progress: None
    """an epoch has been scored and saved, or a checkpoint was found"""
    callbacks: Sequence[keras.callbacks.Callback] = ()
    """of Keras, handed to `fit`"""
