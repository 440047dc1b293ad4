"""Sequences of feature vectors on disk, with their labels: any number of hours in bounded memory."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from ostinato.array_file import ArrayFile
from ostinato.errors import DataError
from ostinato.files import write_atomically

BACKGROUND = "background"  # label of frames that lie in no labelled segment
UNLABELLED = -1


@dataclasses.dataclass(frozen=True)
class SequenceRecord:
    """One clip or recording."""

    name: str
    """where it comes from, as a user knows it"""
    group: str
    """what must stay together when data are split: a person, a day, a source"""
    split: str
    """`train`, `dev` or `test`"""
    label: int
    """number of the label of the whole, `UNLABELLED` where the frames have labels of their own"""
    num_frames: int
    variant_of: int | None = None
    """number of the sequence that this one is a variant of, such as its mirror image: for training only"""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """what else its data set says of it, such as room and day: other groups that it may be taken to belong to"""


@dataclasses.dataclass(frozen=True)
class SequenceStore:
    """The files of a store, by what they are; arrays are mapped, not read.

    Args:
      folder: where they lie.
    """

    folder: Path

    @property
    def features_path(self) -> Path:
        """float16 [frames of all sequences * D]."""
        return self.folder / "features.npy"

    @property
    def frame_labels_path(self) -> Path:
        """int16 [frames of all sequences], `UNLABELLED` where nobody said."""
        return self.folder / "frame_labels.npy"

    @property
    def records_path(self) -> Path:
        """One JSON object a line, in the order of the arrays."""
        return self.folder / "sequences.jsonl"

    @functools.cached_property
    def records(self) -> list[SequenceRecord]:
        """All sequences.

        Raises:
          DataError: the store is missing or damaged.
        """
        try:
            with self.records_path.open(encoding="utf-8") as file:
                return [SequenceRecord(**json.loads(line)) for line in file]
        except (FileNotFoundError, ValueError, TypeError) as error:
            raise DataError(f"{self.records_path} is missing or damaged; prepare a new run directory") from error

    @functools.cached_property
    def starts(self) -> np.ndarray:
        """int64 [sequences + 1], the frame where each sequence begins; the end last."""
        return np.concatenate([[0], np.cumsum([record.num_frames for record in self.records], dtype=np.int64)])

    @functools.cached_property
    def features(self) -> np.ndarray:
        """float16 [frames, D].

        Raises:
          DataError: the store is empty, missing or damaged.
        """
        flat = _mapped(self.features_path)
        if not self.starts[-1] or not flat.size or flat.size % self.starts[-1]:
            raise DataError(
                f"{self.features_path} holds {flat.size} numbers for {self.starts[-1]} frames; prepare a new run "
                "directory"
            )
        return flat.reshape(self.starts[-1], -1)

    @functools.cached_property
    def frame_labels(self) -> np.ndarray:
        """int16 [frames].

        Raises:
          DataError: the store is empty, missing or damaged.
        """
        labels = _mapped(self.frame_labels_path)
        if labels.size != self.starts[-1]:
            raise DataError(
                f"{self.frame_labels_path} holds {labels.size} labels for {self.starts[-1]} frames; prepare a new run "
                "directory"
            )
        return labels

    @property
    def feature_size(self) -> int:
        """D."""
        return self.features.shape[1]

    def features_of(self, row: int) -> np.ndarray:
        """Returns the features of one sequence, float16 [F, D]."""
        return self.features[self.starts[row] : self.starts[row + 1]]

    def labels_of(self, row: int) -> np.ndarray:
        """Returns the frames' own labels of one sequence, int16 [F]."""
        return self.frame_labels[self.starts[row] : self.starts[row + 1]]

    def truth_of(self, row: int) -> np.ndarray:
        """Returns the label of each frame of a sequence, int64 [F]: its own, or that of the whole where it has none."""
        own = self.labels_of(row).astype(np.int64)
        return np.where(own == UNLABELLED, self.records[row].label, own)

    def rows(self, split: str) -> list[int]:
        """Returns the numbers of the sequences of a split, or of all (`all`), no variants; the list may be empty."""
        return [
            row
            for row, record in enumerate(self.records)
            if split in (record.split, "all") and record.variant_of is None
        ]

    def with_variants(self, rows: Sequence[int]) -> list[int]:
        """Returns these sequences and all that are variants of them: what training on them may see."""
        wanted = set(rows)
        return [*rows, *(row for row, record in enumerate(self.records) if record.variant_of in wanted)]

    def has_frame_labels(self, rows: Sequence[int]) -> bool:
        """Tells whether any of these sequences has labels frame by frame."""
        return any(np.any(self.labels_of(row) != UNLABELLED) for row in rows)

    def mean_and_deviation(self, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Returns mean and standard deviation of each feature over these sequences, float32 [D] each."""
        count, total, squares = 0, np.zeros(self.feature_size), np.zeros(self.feature_size)
        for row in rows:  # one at a time: a recording may be hours long, all of them need not fit into memory
            features = self.features_of(row).astype(np.float64)
            count += len(features)
            total += features.sum(axis=0)
            squares += (features**2).sum(axis=0)
        mean = total / max(count, 1)
        deviation = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0))
        return mean.astype(np.float32), deviation.astype(np.float32)


class SequenceWriter(contextlib.AbstractContextManager):
    """Writes a store, a piece of a sequence at a time. Nothing has its name before the context ends without an error.

    Args:
      store: what is to be written; its folder exists.
    """

    def __init__(self, store: SequenceStore):
        self._store = store
        self._files = contextlib.ExitStack()
        self._records: list[SequenceRecord] = []
        self._num_frames = 0
        self._feature_size: int | None = None

    def __enter__(self) -> SequenceWriter:
        self._features = self._files.enter_context(ArrayFile(self._store.features_path, np.float16))
        self._frame_labels = self._files.enter_context(ArrayFile(self._store.frame_labels_path, np.int16))
        return self

    @property
    def num_sequences(self) -> int:
        """Number of sequences that have been ended."""
        return len(self._records)

    def append(self, features: np.ndarray) -> None:
        """Adds frames [F, D] to the sequence that is being written."""
        self._feature_size = self._feature_size or features.shape[1]
        if features.shape[1] != self._feature_size:
            raise ValueError(f"frames have {features.shape[1]} features, those before {self._feature_size}")
        # float16 ends at 65,504: what lies beyond would become infinite and spoil every mean
        self._features.append(np.clip(features, -65504, 65504).astype(np.float16).reshape(-1))
        self._num_frames += len(features)

    def end_sequence(
        self,
        name: str,
        *,
        group: str,
        split: str,
        label: int = UNLABELLED,
        frame_labels: np.ndarray | None = None,
        variant_of: int | None = None,
        columns: Mapping[str, str] | None = None,
    ) -> SequenceRecord:
        """Ends a sequence of one frame or more.

        Args:
          name: where it comes from.
          group: what must stay together.
          split: the split it belongs to.
          label: number of the label of the whole.
          frame_labels: int [F], the labels of its frames; none where not given.
          variant_of: number of the sequence that it is a variant of.
          columns: what else its data set says of it.

        Returns:
          Its record.
        """
        if frame_labels is None:
            frame_labels = np.full(self._num_frames, UNLABELLED)
        if len(frame_labels) != self._num_frames or not self._num_frames:
            raise ValueError(f"{name} has {self._num_frames} frames and {len(frame_labels)} labels")
        record = SequenceRecord(name, group, split, label, self._num_frames, variant_of, dict(columns or {}))
        self._frame_labels.append(frame_labels)
        self._records.append(record)
        self._num_frames = 0
        return record

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        unfinished = ValueError("the last sequence was begun, but not ended") if self._num_frames else None
        if kind is None and unfinished is not None:  # the files must learn of it, or they would get their names
            self._files.__exit__(ValueError, unfinished, None)
            raise unfinished
        self._files.__exit__(kind, error, traceback)
        if kind is None:
            lines = (json.dumps(dataclasses.asdict(record), ensure_ascii=False) + "\n" for record in self._records)
            write_atomically(self._store.records_path, "".join(lines))


def _mapped(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r")
    except (FileNotFoundError, EOFError, ValueError) as error:  # NumPy's for no file, an empty one, one cut short
        raise DataError(f"{path} is missing, empty or damaged; prepare a new run directory") from error
