"""Finding and downloading sets of TensorFlow Datasets, with errors that a user understands."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ostinato.errors import DataError


def find_builder(name: str, data_dir: str | Path | None = None, *, such_as: str) -> Any:
    """Returns the builder of a set, of which nothing is downloaded yet.

    Args:
      name: such as `coco_captions`, or with a version, `coco_captions/2014:1.1.0`.
      data_dir: where TensorFlow Datasets keeps its files; its own default if not given.
      such_as: a name that would do, for the error.

    Raises:
      DataError: TensorFlow Datasets is not installed, or has no such set.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise DataError(f'tfds:{name} needs TensorFlow Datasets; run `pip install "ostinato[tfds]"`') from error
    try:
        return tfds.builder(name, data_dir=os.fspath(data_dir) if data_dir else None)
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError) as error:  # the last for an unknown version
        raise DataError(f"TensorFlow Datasets has no {name!r}; try tfds:{such_as}") from error


def download(builder: Any, name: str) -> None:
    """Downloads a set on first use.

    Raises:
      DataError: it cannot be downloaded.
    """
    import tensorflow_datasets as tfds

    try:
        with _quiet_download():
            builder.download_and_prepare()
    except (OSError, tfds.download.DownloadError) as error:  # what `requests` raises is an OSError
        raise DataError(
            f"tfds:{name} could not be downloaded ({_reason(error)}); check the network, or unpack the set and "
            "give its folder"
        ) from error


@contextlib.contextmanager
def _quiet_download() -> Iterator[None]:
    """Standard output is for results, a bar for terminals; connections are tried ten times with a warning each."""
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    connections = logging.getLogger("urllib3.connectionpool")
    level = connections.level
    connections.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(sys.stderr if sys.stderr.isatty() else io.StringIO()):
            yield
    finally:
        connections.setLevel(level)


def _reason(error: Exception) -> str:
    url = getattr(getattr(error, "request", None), "url", None)
    if url is not None:
        return f"no answer from {url}"
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
