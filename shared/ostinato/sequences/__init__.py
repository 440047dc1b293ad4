"""Data and training of the classifiers that label streams frame by frame: what video and gestures share."""

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
