"""Training of the classifier on a run's sequences, and what it still confuses."""

from __future__ import annotations

from collections.abc import Callable

from ostinato.sequences.cross_validation import CROSS_VALIDATION, cross_validate
from ostinato.sequences.folds import even_folds
from ostinato.sequences.joining import Joining
from ostinato.sequences.outputs import StreamOutput, truths_of
from ostinato.sequences.run_training import RunTraining
from ostinato.sequences.scoring import ScoringOptions
from ostinato.training import Watcher
from ostinato_gesture.advice import Advice, advise
from ostinato_gesture.background import make_between
from ostinato_gesture.config import TrainConfig
from ostinato_gesture.model import network_options
from ostinato_gesture.run import Run
from ostinato_gesture.variation import make_blending, make_variation

MOST_CHECKED = 500  # sequences: with more, whoever wants to know asks `evaluate` and waits


class Training(RunTraining[Run, TrainConfig]):
    """One run: its data, its network, and what that confuses; see `RunTraining`."""

    def __init__(self, run: Run, config: TrainConfig, watcher: Watcher | None = None):
        super().__init__(
            run,
            config,
            watcher,
            make_variation(config, run.kind),
            make_joining(run, config),
            make_blending(config, run.kind),
            **network_options(config, run.kind, run.prepare_config.num_hands),
        )

    def check(self, on_fold: Callable[[], None] = lambda: None) -> Advice | None:
        """Tells which gestures are confused, after training: on what is kept for validation, or part by part.

        Where nothing is kept for validation, networks are trained on parts of the data and read the other parts; what
        that finds, with the temperature for `export`, is kept in the run directory.

        Args:
          on_fold: called after each part.

        Returns:
          None where there is too little to tell, or too much to tell it quickly.
        """
        if self.dev_rows:
            return self._advice(dict(zip(self.dev_rows, self.streams.read(self.dev_rows), strict=True)))
        rows = self.train_rows
        if not self.config.folds or not 2 <= len(rows) <= MOST_CHECKED:
            return None
        records = [self.run.store.records[row] for row in rows]
        folds = even_folds([each.group for each in records], [each.label for each in records], self.config.folds)
        result = cross_validate(
            self.run.store,
            self.run.labels,
            self.config,
            folds,
            rows,
            make_variation(self.config, self.run.kind),
            lambda fold, scores: on_fold(),
            options=scoring_options(self.run),
            compare=False,
            joining=make_joining(self.run, self.config),
            blending=make_blending(self.config, self.run.kind),
            **network_options(self.config, self.run.kind, self.run.prepare_config.num_hands),
        )
        result.write(self.run.folder / CROSS_VALIDATION)
        return self._advice(result.outputs)

    def _advice(self, outputs: dict[int, StreamOutput]) -> Advice:
        truths = truths_of(self.run.store, self.run.store.rows("all"))
        return advise(list(outputs.values()), [truths[row] for row in outputs], truths, self.run.labels, self.run.none)


def make_joining(run: Run, config: TrainConfig) -> Joining | None:
    """Returns what makes streams of clips, or None where there is no label for what lies between them."""
    if run.none is None or not config.joined:
        return None
    return Joining(config.joined, run.labels.index(run.none), make_between(run.kind))


def scoring_options(run: Run) -> ScoringOptions:
    """Returns how frames are scored."""
    return ScoringOptions(background=None if run.none is None else run.labels.index(run.none))
