"""Training: teacher forcing on parallel sentences, validation on what decoding really yields."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import quick_bleu
from ostinato.text import normalise
from ostinato.training import (
    BEST_WEIGHTS,
    Progress,
    SmoothedCrossEntropy,
    Watcher,
    feed_epochs,
    fit_resumably,
    load_weights,
    make_optimizer,
    save_weights,
    write_history,
)
from ostinato_translate.batches import ParallelBatches
from ostinato_translate.config import DecodingConfig, TrainConfig
from ostinato_translate.languages import direction_languages
from ostinato_translate.model import make_model, translation_writer
from ostinato_translate.run import Run

_LOG = logging.getLogger(__name__)
TRAINING = "training"  # the one phase


class Training:
    """One run: its data, its network.

    Args:
      run: a prepared run directory.
      config: settings.
      watcher: told how it goes.

    Raises:
      ConfigError: a direction is asked for whose languages have not been prepared.
      DataError: no training or validation row has the languages of a direction.
    """

    def __init__(self, run: Run, config: TrainConfig, watcher: Watcher | None = None):
        self.run, self.config, self.watcher = run, config, watcher or Watcher()
        keras.utils.set_random_seed(config.seed)
        self.directions = choose_directions(run.languages, config.directions)
        self.batches = ParallelBatches(
            run,
            self.directions,
            tokens_per_batch=config.tokens_per_batch,
            epochs_per_pass=config.epochs_per_pass,
            seed=config.seed,
            subword_alpha=config.subword_alpha,
        )
        self.dev_pairs = _validation_pairs(run, self.directions, config.validation_sentences)
        if not self.batches.num_pairs or not self.dev_pairs:
            names = ", ".join("-".join(direction) for direction in self.directions)
            raise DataError(f"{run.folder} has no training or no validation rows for {names}; prepare data that has")
        self.model = make_model(config, run.tokenizer.size, precision=config.precision)

    def __call__(self) -> list[dict[str, Any]]:
        """Trains, or goes on, and returns one record an epoch.

        Raises:
          ModelError: the checkpoint is damaged or was made with other settings.
        """
        updates = self.batches.num_batches() * self.config.epochs
        self.compile(updates)
        self.watcher.on_phase(TRAINING, updates)
        folder = self.run.phase_folder(TRAINING)
        progress = fit_resumably(
            self.model,
            feed_epochs(self.batches),
            self._validate,
            folder,
            epochs=self.config.epochs,
            score="bleu",
            patience=self.config.patience,
            callbacks=self.watcher.callbacks,
            on_epoch=self._on_epoch,
        )
        load_weights(folder / BEST_WEIGHTS, self.model)
        _LOG.info("best BLEU %.1f in epoch %d", progress.best_score, progress.best_epoch)
        save_weights(self.run.model_path, self.model)
        return progress.history

    def compile(self, num_updates: int) -> None:
        """Gives the model its optimizer and loss."""
        optimizer = make_optimizer(
            learning_rate=self.config.learning_rate,
            num_updates=num_updates,
            warmup_updates=self.config.warmup_updates,
            weight_decay=self.config.weight_decay,
            gradient_clip=self.config.gradient_clip,
            averaging=self.config.averaging,
        )
        self.model.compile(optimizer, SmoothedCrossEntropy(self.config.label_smoothing))

    def _validate(self) -> Mapping[str, float]:
        if not hasattr(self, "_write"):  # traced once
            config = DecodingConfig(beam_width=self.config.validation_beam_width)
            self._write = translation_writer(self.model, self.run.tokenizer, self.run.language_ids, config)
        targets = [self.run.language_ids[self.run.languages.index(pair[1])] for pair in self.dev_pairs]
        translations = self._write([normalise(pair[2]) for pair in self.dev_pairs], targets)
        return {"bleu": quick_bleu(translations, [pair[3] for pair in self.dev_pairs])}

    def _on_epoch(self, progress: Progress) -> None:
        write_history(self.run.metrics_path, progress.history)
        self.watcher.on_epoch(TRAINING, progress)


def choose_directions(languages: Sequence[str], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Returns pairs of source and target language: those that are wanted, or all.

    Raises:
      ConfigError: a language is not among those that were prepared.
    """
    if not wanted:
        return list(itertools.permutations(languages, 2))
    chosen = [direction_languages(direction) for direction in wanted]
    for direction, pair in zip(wanted, chosen, strict=True):
        for language in pair:
            if language not in languages:
                raise ConfigError(
                    f"directions: {direction} asks for {language!r}, but {', '.join(languages)} were prepared"
                )
    return [(source, target) for source, target in chosen]


def _validation_pairs(run: Run, directions: Sequence[tuple[str, str]], number: int) -> list[tuple[str, str, str, str]]:
    """Returns (source language, target language, source, target), each row in another direction than the one before."""
    turns: list[list[tuple[str, str, str, str]]] = []
    for turn in range(len(directions)):
        turns.append([])
        for place, row in enumerate(run.dev_rows):
            source, target = directions[(place + turn) % len(directions)]
            if source in row and target in row:
                turns[-1].append((source, target, row[source], row[target]))
    return list(itertools.chain(*turns))[:number]
