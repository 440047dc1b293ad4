"""Data and training of the classifiers that label streams frame by frame: what video and gestures share.

Importing it imports nothing: its settings are flags of command lines, whose `--help` is to be instant.

ostinato.sequences.store             SequenceStore, SequenceWriter: features and labels of a run, on disk
ostinato.sequences.config            StreamConfig: settings of the network and of its training
ostinato.sequences.run, run_training StreamRun, RunTraining: a run directory, and its training
ostinato.sequences.folds             group_folds, leave_one_group_out: splits that divide no group
ostinato.sequences.cross_validation  cross_validate: how well it does on groups that it has not seen
ostinato.sequences.evaluation        Evaluation: scores, tables, confusion picture
ostinato.sequences.timeline          smooth_labels: scores of frames to stretches of one label
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ostinato.sequences.batches import WindowBatches, class_weights
    from ostinato.sequences.config import StreamConfig
    from ostinato.sequences.folds import Fold, group_folds, hold_out_groups, leave_one_group_out, validation_groups
    from ostinato.sequences.outputs import StreamOutput
    from ostinato.sequences.store import BACKGROUND, UNLABELLED, SequenceRecord, SequenceStore, SequenceWriter
    from ostinato.sequences.timeline import Stretch, smooth_labels, stretches_of

__all__ = [
    "BACKGROUND",
    "UNLABELLED",
    "Fold",
    "SequenceRecord",
    "SequenceStore",
    "SequenceWriter",
    "StreamConfig",
    "StreamOutput",
    "Stretch",
    "WindowBatches",
    "class_weights",
    "group_folds",
    "hold_out_groups",
    "leave_one_group_out",
    "smooth_labels",
    "stretches_of",
    "validation_groups",
]

# Imported when they are first asked for.
_LATER = {
    "WindowBatches": "batches",
    "class_weights": "batches",
    "StreamConfig": "config",
    "Fold": "folds",
    "group_folds": "folds",
    "hold_out_groups": "folds",
    "leave_one_group_out": "folds",
    "validation_groups": "folds",
    "StreamOutput": "outputs",
    "BACKGROUND": "store",
    "UNLABELLED": "store",
    "SequenceRecord": "store",
    "SequenceStore": "store",
    "SequenceWriter": "store",
    "Stretch": "timeline",
    "smooth_labels": "timeline",
    "stretches_of": "timeline",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
