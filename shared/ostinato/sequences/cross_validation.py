"""How well a network does on people, days or sources that it was not trained on: every group is held out once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ostinato.errors import DataError
from ostinato.files import write_atomically
from ostinato.sequences.batches import Variation
from ostinato.sequences.confidence import abstain_thresholds, fit_stream_temperature
from ostinato.sequences.config import StreamConfig
from ostinato.sequences.folds import Fold
from ostinato.sequences.majority import score_majority
from ostinato.sequences.outputs import StreamOutput, has_clip_labels, has_frame_labels, truths_of
from ostinato.sequences.scoring import Scores, ScoringOptions, score_streams
from ostinato.sequences.store import BACKGROUND, SequenceStore
from ostinato.sequences.training import train_and_read

CROSS_VALIDATION = "cross_validation.json"  # in a run's folder


@dataclasses.dataclass(frozen=True)
class FoldScores:
    """One fold: what was trained on the others says of the sequences held out."""

    name: str
    num_train: int
    """sequences"""
    num_held_out: int
    """sequences"""
    temperature: float
    """fitted on what the other folds held out, so that `ece` and segments are honest; 1 where there is no other"""
    scores: Scores
    """empty where nothing held out is labelled"""


@dataclasses.dataclass(frozen=True)
class CrossValidation:
    """What networks say of sequences that they were not trained on, and what that is worth."""

    outputs: dict[int, StreamOutput]
    """by row of the store, as the networks give them, without a temperature"""
    scores: Scores
    """over all sequences held out, each at the temperature of its fold"""
    folds: tuple[FoldScores, ...]
    majority: Scores
    """of the most frequent label of each fold's training data"""
    without_recurrence: Scores | None
    """of the same network without recurrence, on the same folds; None if it was not asked for"""
    temperature: float
    """fitted on all that was held out: the one for a network that is trained on everything"""
    abstain: dict[str, dict[str, float] | None]
    """thresholds of confidence at that temperature, by the precision wanted in per cent; see `abstain_thresholds`"""

    def to_dict(self) -> dict[str, Any]:
        """All but the outputs, as `evaluate --format json` prints it and a run keeps it."""
        return {
            "scores": self.scores,
            "folds": [dataclasses.asdict(fold) for fold in self.folds],
            "majority": self.majority,
            "without_recurrence": self.without_recurrence,
            "temperature": self.temperature,
            "abstain": self.abstain,
        }

    def write(self, path: Path) -> None:
        """Writes a JSON file, whole or not at all."""
        write_atomically(path, json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n")


def cross_validate(
    store: SequenceStore,
    labels: Sequence[str],
    config: StreamConfig,
    folds: Sequence[Fold],
    rows: Sequence[int],
    vary: Variation | None = None,
    on_fold: Callable[[Fold, Scores], None] = lambda fold, scores: None,
    *,
    options: ScoringOptions | None = None,
    compare: bool = True,
    learn: Callable[..., list[StreamOutput]] | None = None,
    **network: Any,
) -> CrossValidation:
    """Trains a network for each fold and scores what it says of the sequences that the fold holds out.

    There is one network at a time, begun from the same seed in every fold, so that the same call gives the same scores.

    Args:
      store: the sequences.
      labels: names of the labels; one that is called `background` is scored as such.
      config: settings of network and training.
      folds: of `group_folds`, `leave_one_group_out` or `hold_out_groups`, made for the groups of `rows`.
      rows: of the store, those that were divided: a fold's numbers are places in this list. What is in none of its two
        lists takes no part in a fold.
      vary: changes windows at random, in training only.
      on_fold: told of each fold when it ends, with its scores (at temperature 1).
      options: how segments are made; by default as `ScoringOptions` says.
      compare: whether the network without recurrence is trained too, which takes as long again.
      learn: trains a network and reads what is held out; `train_and_read`, whose arguments it gets, if not given.
      network: further arguments of `SequenceClassifier`.

    Raises:
      DataError: no folds, a fold without sequences or labels to train on, a sequence that is trained on and held out or
        is held out twice, or nothing labelled among what is held out.
    """
    _check(folds)
    options = _with_background(options or ScoringOptions(), labels)
    bare = dataclasses.replace(config, recurrent=False)
    configs = [config, bare] if compare and config.recurrent else [config]
    divided = [([rows[place] for place in fold.train], [rows[place] for place in fold.held_out]) for fold in folds]
    outputs: list[dict[int, StreamOutput]] = [{} for _ in configs]
    for fold, (train, held_out) in zip(folds, divided, strict=True):
        for each, found in zip(configs, outputs, strict=True):
            read = (learn or train_and_read)(
                store, store.with_variants(train), held_out, len(labels), each, vary, **network
            )
            found.update(zip(held_out, read, strict=True))
        on_fold(fold, _scores(store, held_out, outputs[0], options))
    parts = [held_out for _, held_out in divided]
    everything = [row for part in parts for row in part]
    tempered, temperatures = _tempered(store, parts, outputs[0])
    temperature = _temperature(store, everything, outputs[0])
    truths = truths_of(store, everything)
    return CrossValidation(
        outputs=outputs[0],
        scores=score_streams([tempered[row] for row in everything], truths, options),
        folds=tuple(
            FoldScores(fold.name, len(train), len(part), number, _scores(store, part, tempered, options))
            for fold, (train, part), number in zip(folds, divided, temperatures, strict=True)
        ),
        majority=score_majority(
            [(truths_of(store, train), truths_of(store, part)) for train, part in divided], len(labels), options
        ),
        without_recurrence=(
            _scores(store, everything, _tempered(store, parts, outputs[1])[0], options) if len(configs) > 1 else None
        ),
        temperature=temperature,
        abstain=abstain_thresholds([outputs[0][row].tempered(temperature) for row in everything], truths),
    )


def read_temperature(path: Path) -> float | None:
    """Returns the temperature that `CrossValidation.write` kept, or None where there is no such file.

    Raises:
      DataError: the file is damaged.
    """
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["temperature"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged; delete it, or run the cross-validation again") from error


def _check(folds: Sequence[Fold]) -> None:
    if not folds:
        raise DataError("there are no folds to validate on; ask for 2 or more")
    held_out = [place for fold in folds for place in fold.held_out]
    if len(set(held_out)) < len(held_out):
        raise DataError(f"a sequence is held out by more than one of the {len(folds)} folds; hold each out once")
    for fold in folds:
        if set(fold.train) & set(fold.held_out):
            raise DataError(f"{fold.name}: a sequence is both trained on and held out; leave it out of one")
        if not fold.train or not fold.held_out:
            raise DataError(
                f"{fold.name}: there are {len(fold.train)} sequences to train on and {len(fold.held_out)} held out; "
                "both must be 1 or more"
            )


def _with_background(options: ScoringOptions, labels: Sequence[str]) -> ScoringOptions:
    if options.background is not None or BACKGROUND not in labels:
        return options
    return dataclasses.replace(options, background=labels.index(BACKGROUND))


def _is_labelled(store: SequenceStore, rows: Sequence[int]) -> bool:
    truths = truths_of(store, rows)
    return has_clip_labels(truths) or has_frame_labels(truths)


def _scores(
    store: SequenceStore, rows: Sequence[int], outputs: Mapping[int, StreamOutput], options: ScoringOptions
) -> Scores:
    if not _is_labelled(store, rows):
        return {}
    return score_streams([outputs[row] for row in rows], truths_of(store, rows), options)


def _temperature(store: SequenceStore, rows: Sequence[int], outputs: Mapping[int, StreamOutput]) -> float:
    if not _is_labelled(store, rows):
        return 1.0
    return fit_stream_temperature([outputs[row] for row in rows], truths_of(store, rows))


def _tempered(
    store: SequenceStore, parts: Sequence[Sequence[int]], outputs: Mapping[int, StreamOutput]
) -> tuple[dict[int, StreamOutput], list[float]]:
    """Returns the outputs at temperatures fitted on the other folds, and the temperature of each fold."""
    tempered, temperatures = {}, []
    for part in parts:
        others = [row for other in parts if other is not part for row in other]
        temperatures.append(_temperature(store, others, outputs))
        tempered.update({row: outputs[row].tempered(temperatures[-1]) for row in part})
    return tempered, temperatures
