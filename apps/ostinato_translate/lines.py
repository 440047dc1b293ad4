"""Lines of text files, plain or compressed, with the place of whatever is wrong with them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ostinato.errors import DataError

_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)


def open_binary(path: Path) -> BinaryIO:
    """Opens a file to read bytes; one that ends in `.gz` is decompressed."""
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def read_blocks(path: Path, size: int = 2**16) -> Iterator[bytes]:
    """Yields the content of a file in blocks of bytes.

    Raises:
      DataError: the file is missing, or its compression is damaged.
    """
    try:
        with open_binary(path) as file:
            while block := file.read(size):
                yield block
    except _DAMAGED as error:
        raise damaged(path, error) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check the name") from error


def read_lines(path: Path) -> Iterator[str]:
    r"""Yields the lines of a text file without their ends.

    Only `\n` and `\r\n` end a line: other separators that Unicode knows would part files that are parallel.

    Raises:
      DataError: the file is missing, its compression is damaged, or a line is no UTF-8.
    """
    number = 0
    try:
        with open_binary(path) as file:
            for number, line in enumerate(file, start=1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                yield text.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number}: is no UTF-8 ({error.reason}); save the file as UTF-8") from error
    except _DAMAGED as error:
        raise damaged(path, error) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check the name") from error


def damaged(path: Path, error: Exception) -> DataError:
    """Returns the error of a file whose compression is damaged."""
    return DataError(f"{path} is no whole gzip file ({error}); download it again")
