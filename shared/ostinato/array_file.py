"""Arrays that grow on disk and never have to fit into memory."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

_HEADER_SIZE = 128


class ArrayFile:
    """Writes a one-dimensional array to a `.npy` file piece by piece; `numpy.load` reads or maps it.

    A context manager: the file gets its name when the context ends without an error, and not before.

    Args:
      path: the file; its folder must exist.
      dtype: of the array.

    Reference: the format's description in `numpy.lib.format`, version 1.0.
    """

    def __init__(self, path: str | Path, dtype: Any):
        self._path = Path(path)
        self._partial = self._path.with_name(f".{self._path.name}.{os.getpid()}.partial")
        self._dtype = np.dtype(dtype)
        self._size = 0

    def __enter__(self) -> ArrayFile:
        self._file = self._partial.open("wb")
        self._file.write(bytes(_HEADER_SIZE))  # written when the length is known
        return self

    def append(self, values: Any) -> None:
        """Adds values [n] at the end. What does not fit into the array's type is an error of NumPy's."""
        array = np.asarray(values if len(values) else (), dtype=self._dtype)
        self._file.write(array.tobytes())
        self._size += array.size

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            with self._file:
                if kind is None:
                    self._file.seek(0)
                    self._file.write(self._header())
            if kind is None:
                self._partial.replace(self._path)
        finally:
            self._partial.unlink(missing_ok=True)

    def _header(self) -> bytes:
        described = f"{{'descr': {self._dtype.str!r}, 'fortran_order': False, 'shape': ({self._size},), }}"
        start = np.lib.format.magic(1, 0) + struct.pack("<H", _HEADER_SIZE - 10)
        return start + described.encode().ljust(_HEADER_SIZE - 11) + b"\n"
