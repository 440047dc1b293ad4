"""The two phases of training: teacher forcing on parallel sentences, and on the score itself.

Both are validated on what decoding really yields.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import quick_bleu
from ostinato.text import normalise
from ostinato.training import (
    BEST_WEIGHTS,
    CHECKPOINT,
    Progress,
    SmoothedCrossEntropy,
    Watcher,
    feed_epochs,
    fit_resumably,
    load_weights,
    make_optimizer,
    read_progress,
    save_weights,
    write_history,
)
from ostinato_translate.batches import Batch, ParallelBatches
from ostinato_translate.config import DecodingConfig, TrainConfig
from ostinato_translate.languages import direction_languages
from ostinato_translate.model import make_model, translation_writer
from ostinato_translate.run import Run
from ostinato_translate.self_critical import SelfCriticalSampler, self_critical_batches

_LOG = logging.getLogger(__name__)
TRAINING, SELF_CRITICAL = "training", "self_critical"


class Training:
    """One run: its data, its network.

    Args:
      run: a prepared run directory.
      config: settings.
      watcher: told how it goes.

    Raises:
      ConfigError: a direction is asked for whose languages have not been prepared.
      DataError: no training or validation row has the languages of a direction.
      ModelError: the weights that it is to begin with are damaged.
    """

    def __init__(self, run: Run, config: TrainConfig, watcher: Watcher | None = None):
        self.run, self.config, self.watcher = run, config, watcher or Watcher()
        keras.utils.set_random_seed(config.seed)
        self.directions = choose_directions(run.languages, config.directions)
        self.epochs = {TRAINING: config.epochs, SELF_CRITICAL: config.self_critical_epochs}
        self.batches = {phase: self._batches(phase) for phase, epochs in self.epochs.items() if epochs}
        self.dev_pairs = _validation_pairs(run, self.directions, config.validation_sentences)
        if not all(batches.num_pairs for batches in self.batches.values()) or not self.dev_pairs:
            names = ", ".join("-".join(direction) for direction in self.directions)
            raise DataError(f"{run.folder} has no training or no validation rows for {names}; prepare data that has")
        self.model = make_model(config, run.tokenizer.size, precision=config.precision)
        if run.start_path.exists():
            load_weights(run.start_path, self.model)

    def __call__(self) -> list[dict[str, Any]]:
        """Trains, or goes on, and returns one record an epoch.

        Raises:
          ModelError: a checkpoint is damaged or was made with other settings.
          ConfigError: a phase is left out that has been trained already.
        """
        self.run.check_phases(self.epochs)
        if TRAINING in self.batches:
            self.compile(self._num_updates(TRAINING))
            self._fit(TRAINING, feed_epochs(self.batches[TRAINING]))
        if SELF_CRITICAL in self.batches:
            self._self_critical()
        save_weights(self.run.model_path, self.model)
        return self.records()

    def records(self) -> list[dict[str, Any]]:
        """Returns what is known of every epoch of both phases, in order."""
        return [
            {"phase": phase, **record}
            for phase in (TRAINING, SELF_CRITICAL)
            for record in read_progress(self.run.phase_folder(phase) / CHECKPOINT).history
        ]

    def compile(self, num_updates: int) -> None:
        """Gives the model optimizer and loss of teacher forcing."""
        loss = SmoothedCrossEntropy(self.config.label_smoothing)
        self._compile(num_updates, self.config.learning_rate, loss)

    def _self_critical(self) -> None:
        config = self.config
        sampler = SelfCriticalSampler(
            self.model,
            self.run.tokenizer,
            translations_per_sentence=config.translations_per_sentence,
            temperature=config.temperature,
        )

        def batches(epoch: int) -> Iterator[Batch]:
            return self_critical_batches(sampler, self.batches[SELF_CRITICAL](epoch), seed=config.seed, epoch=epoch)

        # Weights that are rewards may be negative: the loss must not be divided by their sum.
        loss = SmoothedCrossEntropy(reduction="sum_over_batch_size", temperature=config.temperature)
        self._compile(self._num_updates(SELF_CRITICAL), config.self_critical_learning_rate, loss)
        self._fit(SELF_CRITICAL, feed_epochs(batches, ahead=0))

    def _num_updates(self, phase: str) -> int:
        return self.batches[phase].num_batches() * self.epochs[phase]

    def _fit(self, phase: str, batches: Callable[[int], Iterable]) -> None:
        """Trains one phase, or what is left of it, and leaves the best weights in the network."""

        def on_epoch(progress: Progress) -> None:
            write_history(self.run.metrics_path, self.records())
            self.watcher.on_epoch(phase, progress)

        folder = self.run.phase_folder(phase)
        self.watcher.on_phase(phase, self._num_updates(phase))
        progress = fit_resumably(
            self.model,
            batches,
            self._validate,
            folder,
            epochs=self.epochs[phase],
            score="bleu",
            patience=self.config.patience,
            callbacks=self.watcher.callbacks,
            on_epoch=on_epoch,
        )
        load_weights(folder / BEST_WEIGHTS, self.model)
        _LOG.info("%s: best BLEU %.1f in epoch %d", phase, progress.best_score, progress.best_epoch)

    def _batches(self, phase: str) -> ParallelBatches:
        # What is drawn takes the room of what is given.
        share = self.config.translations_per_sentence if phase == SELF_CRITICAL else 1
        return ParallelBatches(
            self.run,
            self.directions,
            tokens_per_batch=max(self.config.tokens_per_batch // share, 1),
            epochs_per_pass=self.config.epochs_per_pass,
            seed=self.config.seed,
            subword_alpha=self.config.subword_alpha,
        )

    def _compile(self, num_updates: int, learning_rate: float, loss: keras.Loss) -> None:
        optimizer = make_optimizer(
            learning_rate=learning_rate,
            num_updates=num_updates,
            warmup_updates=self.config.warmup_updates,
            weight_decay=self.config.weight_decay,
            gradient_clip=self.config.gradient_clip,
            averaging=self.config.averaging,
        )
        self.model.compile(optimizer, loss)

    def _validate(self) -> Mapping[str, float]:
        if not hasattr(self, "_write"):  # traced once
            config = DecodingConfig(beam_width=self.config.validation_beam_width)
            self._write = translation_writer(self.model, self.run.tokenizer, config)
        targets = [self.run.language_ids[self.run.languages.index(pair[1])] for pair in self.dev_pairs]
        translations = self._write([normalise(pair[2]) for pair in self.dev_pairs], targets)
        return {"bleu": quick_bleu(translations, [pair[3] for pair in self.dev_pairs])}


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
