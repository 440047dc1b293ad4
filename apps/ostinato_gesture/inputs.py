"""What the arguments of `predict` name: videos, folders of videos, archives of sequences."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ostinato.errors import DataError, InputError
from ostinato.frames.finding import find_videos
from ostinato_gesture.data import is_archive
from ostinato_gesture.npz_data import read_archive

# The name of a recording, and the recording: a path, or the frames themselves; or what is wrong with it.
NamedRecording = tuple[str, Path | np.ndarray | InputError]


def find_recordings(inputs: Iterable[str | Path]) -> list[NamedRecording]:
    """Returns videos as paths, and each sequence of an archive (.npz) as an array `features` float [F, D].

    Raises:
      InputError: there is no video in a folder; an archive that cannot be read is named in its place instead.
    """
    recordings: list[NamedRecording] = []
    for each in inputs:
        if is_archive(each):
            recordings += _sequences(Path(each))
        else:
            recordings += [(str(video), video) for video in find_videos([each])]
    return recordings


def _sequences(path: Path) -> list[NamedRecording]:
    try:
        archive = read_archive(path)
    except DataError as error:
        return [(str(path), InputError(str(error)))]
    starts = np.cumsum(archive.lengths) - archive.lengths
    return [
        (f"{path}:{name}", archive.features[start : start + length])
        for name, start, length in zip(archive.names, starts.tolist(), archive.lengths.tolist(), strict=True)
    ]
