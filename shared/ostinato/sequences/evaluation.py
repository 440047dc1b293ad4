"""What an evaluation found, as tables, picture and records; and the cross-validation of a run's settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.commands import as_table
from ostinato.errors import DataError
from ostinato.metrics import class_table, confusion_table, score_classes, tempered_softmax
from ostinato.sequences.batches import Variation
from ostinato.sequences.cross_validation import CROSS_VALIDATION, CrossValidation, cross_validate
from ostinato.sequences.folds import Fold, group_folds, hold_out_groups, leave_one_group_out
from ostinato.sequences.outputs import truths_of
from ostinato.sequences.run import StreamRun
from ostinato.sequences.scoring import ScoringOptions, stream_confusion
from ostinato.sequences.store import UNLABELLED, SequenceRecord


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How well sequences are labelled."""

    scores: dict[str, Any]
    """by name on the scale 0 to 100; of a cross-validation also those of each fold and of what it is compared with"""
    labels: tuple[str, ...]
    """in the order of the confusion matrix"""
    confusion: np.ndarray
    """int64 [L, L]: which label is taken for which, of clips, or of frames where these have labels"""
    records: list[dict[str, Any]]
    """of each sequence what was found and what is true, as `sequence_record` returns it"""

    def as_text(self) -> str:
        """Returns tables: the scores, those of each label, and what is taken for what."""
        main = self.scores.get("scores", self.scores)
        tables = [as_table({name: value for name, value in main.items() if not isinstance(value, dict | list)})]
        for name in ("majority", "without_recurrence"):
            if self.scores.get(name):
                tables.append(f"{name.replace('_', ' ')}:\n{as_table(_numbers(self.scores[name]))}")
        tables.append(class_table(score_classes(self.confusion, self.labels)))
        tables.append(confusion_table(self.confusion, self.labels))
        return "\n\n".join(tables)

    def save_confusion(self, path: Path) -> None:
        """Draws the confusion matrix as a PNG."""
        from ostinato.metrics.confusion_picture import confusion_picture

        path.parent.mkdir(parents=True, exist_ok=True)
        confusion_picture(self.confusion, self.labels).save(path, "PNG")


def cross_validate_run(
    run: StreamRun,
    options: ScoringOptions,
    *,
    num_folds: int = 0,
    hold_out: str = "",
    group_by: str = "group",
    on_fold: Callable[[], None] = lambda: None,
    vary: Variation | None = None,
    **network: Any,
) -> tuple[Evaluation, CrossValidation]:
    """Trains the settings of a run anew on parts of its sequences, and scores the others.

    A cross-validation in which each group is held out once is kept in the run directory, with the temperature that it
    fitted.

    Args:
      run: prepared; its `train.toml` has the settings, or the defaults are taken.
      options: how frames become segments.
      num_folds: number of folds; 0 leaves out one group at a time.
      hold_out: names of groups, with commas between, to hold out instead, once.
      group_by: columns of the data, by commas, that name other groups than those the run was prepared with.
      on_fold: called after each fold.
      vary: changes windows at random, in training only.
      network: further arguments of `SequenceClassifier`.

    Raises:
      DataError: there are too few groups, or none of such a name, or no such column.
    """
    store = run.store
    rows = store.rows("all")
    folds = choose_folds(groups_of([store.records[row] for row in rows], group_by), num_folds, hold_out)
    result = cross_validate(
        store,
        run.labels,
        run.read_train_config(),
        folds,
        rows,
        vary,
        lambda fold, scores: on_fold(),
        options=options,
        **network,
    )
    if not hold_out:
        result.write(run.folder / CROSS_VALIDATION)
    return evaluation_of(run, result), result


def evaluation_of(run: StreamRun, result: CrossValidation) -> Evaluation:
    """Returns what a cross-validation of a run has found, for people to read."""
    store = run.store
    held_out = sorted(result.outputs)
    outputs, truths = [result.outputs[row] for row in held_out], truths_of(store, held_out)
    records = []
    for row, output, truth in zip(held_out, outputs, truths, strict=True):
        scores = tempered_softmax(output.clip_logits, result.temperature)
        best, true_label = int(np.argmax(scores)), run.labels[truth.label] if truth.label != UNLABELLED else None
        sequence = store.records[row]
        records.append(
            sequence_record(sequence.name, sequence.group, run.labels[best], float(scores[best]), true_label=true_label)
        )
    return Evaluation(result.to_dict(), run.labels, stream_confusion(outputs, truths), records)


def sequence_record(
    name: str, group: str, label: str, confidence: float, *, true_label: str | None, **found: Any
) -> dict[str, Any]:
    """Returns what is said of one sequence, in one shape for all that is evaluated.

    Args:
      name: where it comes from, such as the path of a video.
      group: what it was kept together with.
      label: that was found for the whole.
      confidence: from 0 to 1.
      true_label: of the whole; None where it is told part by part.
      found: what was found in its parts and is true of them, such as segments and true_segments.
    """
    return {
        "name": name,
        "group": group,
        "label": label,
        "confidence": round(confidence, 4),
        "true_label": true_label,
        **found,
    }


def check_known(names: Iterable[str], labels: Sequence[str]) -> None:
    """Raises DataError where data have labels that a model does not know."""
    if unknown := sorted(set(names) - set(labels)):
        raise DataError(
            f"the data have labels that the model does not know: {', '.join(unknown[:5])}; name another model"
        )


def groups_of(records: Sequence[SequenceRecord], group_by: str) -> list[str]:
    """Returns the group of each sequence: the one that it was prepared with (`group`), or what columns say of it.

    Raises:
      DataError: nothing is known of a column, or not of every sequence.
    """
    if group_by == "group":
        return [record.group for record in records]
    wanted = [name.strip() for name in group_by.split(",") if name.strip()]
    known = sorted(set.intersection(*(set(record.columns) for record in records)))
    for name in wanted or [group_by]:
        if name not in known:
            raise DataError(
                f"--group-by: the run knows no column {name!r} of its sequences, but "
                f"{', '.join(known) or 'none at all'}; name one of these, or prepare a new run from data that have it"
            )
    return [" ".join(record.columns[name] for name in wanted) for record in records]


def choose_folds(groups: Sequence[str], num_folds: int, hold_out: str) -> list[Fold]:
    """Returns the folds that flags ask for: so many, one that holds out named groups, or one for each group.

    Raises:
      DataError: there are too few groups, or none of such a name.
    """
    if hold_out:
        held_out = {group.strip() for group in hold_out.split(",")}
        if unknown := sorted(held_out - set(groups)):
            known = ", ".join(sorted(set(groups)))
            raise DataError(f"--hold-out: there is no group {unknown[0]!r}; the groups are {known}")
        return [hold_out_groups(groups, held_out, name=hold_out)]
    return group_folds(groups, num_folds) if num_folds else leave_one_group_out(groups)


def _numbers(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scores.items() if isinstance(value, int | float)}
