"""The three phases of training: on cached features, with the image network, and on the score itself."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ostinato.errors import ConfigError, DataError
from ostinato.layers import EncoderDecoder
from ostinato.layers.efficientnet_lite import EFFICIENTNET_LITE
from ostinato.metrics import quick_caption_scores
from ostinato.training import (
    BEST_WEIGHTS,
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
from ostinato.training.fit import CHECKPOINT
from ostinato_caption.augmentation import read_augmented, read_plain
from ostinato_caption.batches import CaptionTargets, teacher_forcing_batches
from ostinato_caption.config import DecodingConfig, TrainConfig
from ostinato_caption.features import cache_features
from ostinato_caption.image_network import image_network
from ostinato_caption.model import beam_options, caption_writer, make_decoders, make_model
from ostinato_caption.run import Run
from ostinato_caption.self_critical import SelfCriticalSampler, self_critical_batches

_LOG = logging.getLogger(__name__)
_VALIDATION_BATCH = 50
ReadInputs = Callable[[np.ndarray, np.random.Generator], np.ndarray]
FROZEN, FINE_TUNE, SELF_CRITICAL = "frozen", "fine_tune", "self_critical"


class Training:
    """One run: its data, its networks, its phases.

    Args:
      run: a prepared run directory.
      config: settings.
      watcher: told how it goes.

    Raises:
      DataError: a split is empty.
    """

    def __init__(self, run: Run, config: TrainConfig, watcher: Watcher | None = None):
        self.run, self.config, self.watcher = run, config, watcher or Watcher()
        keras.utils.set_random_seed(config.seed)
        self.train_rows, self.dev_rows = run.rows("train"), run.rows("dev")
        self.train_captions = [run.examples[row].captions for row in self.train_rows]
        self.dev_captions = [run.examples[row].captions for row in self.dev_rows]
        self.targets = CaptionTargets(
            self.train_captions, run.tokenizer, config.captions_per_photo, num_decoders=config.decoders
        )
        self.features = run.features()
        self.decoders = make_decoders(config, run.tokenizer.size, precision=config.precision)
        self.encoder = image_network(run.prepare_config.network)
        self.updates_per_epoch = -(-len(self.train_rows) // config.photos_per_batch)

    def __call__(self) -> list[dict[str, Any]]:
        """Runs what is left of the three phases and returns one record an epoch.

        Raises:
          ModelError: a checkpoint is damaged or was made with other settings.
          DataError, ConfigError: see `check_phases`.
        """
        self.check_phases()
        for epochs, run_phase in (
            (self.config.epochs, self._frozen),
            (self.config.fine_tune_epochs, self._fine_tune),
            (self.config.self_critical_epochs, self._self_critical),
        ):
            if epochs:
                run_phase(epochs)
        model = make_model(self.encoder, self.decoders)
        save_weights(self.run.model_path, model)
        return self.records()

    def records(self) -> list[dict[str, Any]]:
        """Returns what is known of every epoch of every phase, in order."""
        return [
            {"phase": phase, **record}
            for phase in (FROZEN, FINE_TUNE, SELF_CRITICAL)
            for record in read_progress(self.run.phase_folder(phase) / CHECKPOINT).history
        ]

    def check_phases(self) -> None:
        """Finds what would fail hours later.

        Raises:
          DataError: photos that phases 2 and 3 need are gone.
          ConfigError: phases are left out that have been trained already, or the image network cannot be fine-tuned.
        """
        config = self.config
        self.run.check_phases(
            {FROZEN: config.epochs, FINE_TUNE: config.fine_tune_epochs, SELF_CRITICAL: config.self_critical_epochs}
        )
        network = self.run.prepare_config.network
        if config.fine_tune_epochs and config.fine_tune_blocks and network not in EFFICIENTNET_LITE:
            names = ", ".join(EFFICIENTNET_LITE)
            raise ConfigError(f"only {names} can be fine-tuned, not {network}; set --fine-tune-epochs 0")
        if self._needs_photos():
            # All of them: one that is missing would stop an epoch halfway.
            photos = [example.image for example in self.run.examples if example.split in ("train", "dev")]
            missing = [photo for photo in photos if not Path(photo).is_file()]
            if missing:
                raise DataError(
                    f"{len(missing)} photos of {self.run.folder} are gone, such as {missing[0]}; put them back, or "
                    "train without them by --fine-tune-epochs 0 --self-critical-views 0"
                )

    def phase_of_features(self) -> tuple[EncoderDecoder, Callable[[int], Iterable]]:
        """Returns what phase 1 trains: the compiled model, and its batches by epoch."""
        model = self._model_of_features()
        self._compile(model, self.config.epochs, self.config.learning_rate, self._cross_entropy())
        return model, self._teacher_forcing(self._read_features)

    def _frozen(self, epochs: int) -> None:
        model, batches = self.phase_of_features()
        self._fit(FROZEN, model, epochs, batches, self._dev_features)

    def _fine_tune(self, epochs: int) -> None:
        self.encoder.set_trainable_blocks(self.config.fine_tune_blocks)
        model = make_model(self.encoder, self.decoders, learning=True)
        self._compile(model, epochs, self.config.fine_tune_learning_rate, self._cross_entropy())
        image_size = self.run.prepare_config.image_size
        photos = [self.run.examples[row].image for row in self.train_rows]
        dev_photos = [self.run.examples[row].image for row in self.dev_rows]

        def read(numbers: np.ndarray, generator: np.random.Generator) -> np.ndarray:
            return read_augmented([photos[i] for i in numbers], image_size, seed=int(generator.integers(2**31)))

        def dev_inputs() -> Iterator[np.ndarray]:
            for start in range(0, len(dev_photos), _VALIDATION_BATCH):
                yield read_plain(dev_photos[start : start + _VALIDATION_BATCH], image_size)

        self._fit(FINE_TUNE, model, epochs, self._teacher_forcing(read), dev_inputs)
        self.encoder.set_trainable_blocks(0)

    def _self_critical(self, epochs: int) -> None:
        if self._needs_photos():
            self._cache_varied_features()
        model = self._model_of_features()
        # Weights that are rewards may be negative: the loss must not be divided by their sum.
        loss = SmoothedCrossEntropy(reduction="sum_over_batch_size")
        self._compile(model, epochs, self.config.self_critical_learning_rate, loss)
        sampler = SelfCriticalSampler(
            [make_model(None, [decoder]) for decoder in self.decoders],
            self.run.tokenizer,
            self.train_captions,
            captions_per_photo=self.config.captions_per_photo,
            max_length=DecodingConfig.max_length,
        )

        def batches(epoch: int) -> Iterable[tuple]:
            return self_critical_batches(
                sampler,
                self.features,
                self.train_rows,
                photos_per_batch=self.config.photos_per_batch,
                seed=self.config.seed,
                epoch=epoch,
            )

        self._fit(SELF_CRITICAL, model, epochs, feed_epochs(batches, ahead=0), self._dev_features)

    def _cross_entropy(self) -> SmoothedCrossEntropy:
        """The loss of phases 1 and 2, which undoes the decoders' temperature."""
        return SmoothedCrossEntropy(self.config.label_smoothing, temperature=1 / self.config.temperature)

    def _model_of_features(self) -> EncoderDecoder:
        return make_model(None, self.decoders, feature_size=self.features.shape[-1], learning=True)

    def _compile(self, model: EncoderDecoder, epochs: int, learning_rate: float, loss: keras.Loss) -> None:
        optimizer = make_optimizer(
            learning_rate=learning_rate,
            num_updates=epochs * self.updates_per_epoch,
            warmup_updates=self.config.warmup_updates,
            weight_decay=self.config.weight_decay,
            gradient_clip=self.config.gradient_clip,
            averaging=self.config.averaging,
            lookahead_updates=self.updates_per_epoch if self.config.lookahead and self.config.averaging else 0,
        )
        model.compile(optimizer, loss)

    def _teacher_forcing(self, read_inputs: ReadInputs) -> Callable[[int], Iterable]:
        def batches(epoch: int) -> Iterable[tuple]:
            return teacher_forcing_batches(
                self.targets,
                read_inputs,
                photos_per_batch=self.config.photos_per_batch,
                seed=self.config.seed,
                epoch=epoch,
            )

        return feed_epochs(batches)

    def _read_features(self, numbers: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        views = generator.integers(self.features.shape[1], size=len(numbers))
        return self.features[self.train_rows[numbers], views]

    def _dev_features(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.dev_rows), _VALIDATION_BATCH):
            yield self.features[self.dev_rows[start : start + _VALIDATION_BATCH], 0]

    def _fit(
        self,
        phase: str,
        model: EncoderDecoder,
        epochs: int,
        batches: Callable[[int], Iterable],
        dev_inputs: Callable[[], Iterable[np.ndarray]],
    ) -> None:
        """Trains one phase, or what is left of it, and leaves the best weights in the networks."""
        folder = self.run.phase_folder(phase)
        options = beam_options(DecodingConfig(), width=self.config.validation_beam_width)
        together = make_model(model.encoder, self.decoders)
        write = caption_writer(together, self.run.tokenizer, options)

        def validate() -> Mapping[str, float]:
            scores = quick_caption_scores(list(write(dev_inputs())), self.dev_captions)
            return dataclasses.asdict(scores)

        def on_epoch(progress: Progress) -> None:
            write_history(self.run.metrics_path, self.records())
            self.watcher.on_epoch(phase, progress)

        self.watcher.on_phase(phase, epochs * self.updates_per_epoch)
        progress = fit_resumably(
            model,
            batches,
            validate,
            folder,
            epochs=epochs,
            score="cider_d",
            patience=self.config.patience,
            callbacks=self.watcher.callbacks,
            on_epoch=on_epoch,
        )
        load_weights(folder / BEST_WEIGHTS, model)
        _LOG.info("%s: best CIDEr-D %.1f in epoch %d", phase, progress.best_score, progress.best_epoch)

    def _needs_photos(self) -> bool:
        """True where the features that `prepare` cached will not do."""
        config = self.config
        return config.fine_tune_epochs > 0 or (config.self_critical_epochs > 0 and config.self_critical_views > 0)

    def _cache_varied_features(self) -> None:
        """What `prepare` cached is of the ImageNet network, and too few views: rewards would be learned by heart."""
        path = self.run.varied_features_path
        before = self.run.phase_folder(FINE_TUNE) / BEST_WEIGHTS
        num_views = 1 + self.config.self_critical_views
        is_stale = before.exists() and path.exists() and path.stat().st_mtime < before.stat().st_mtime
        if is_stale or not path.exists() or self.run.features(varied=True).shape[1] != num_views:
            good = cache_features(
                path,
                self.encoder,
                [example.image for example in self.run.examples],
                image_size=self.run.prepare_config.image_size,
                num_varied=self.config.self_critical_views,
                seed=self.config.seed,
            )
            if lost := {*self.train_rows, *self.dev_rows} - set(good):
                path.unlink()
                photo = self.run.examples[min(lost)].image
                raise DataError(f"{len(lost)} photos can no longer be read, such as {photo}; put them back")
        self.features = self.run.features(varied=True)
