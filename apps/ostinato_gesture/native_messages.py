"""Keeps the chatter of native libraries off standard error, and nothing else."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

# Information and warnings as absl and TensorFlow Lite write them: `W0000 00:00:1700000000.123456   123 file.cc:1] ...`,
# `INFO: ...`. Errors begin with E or F, or with ERROR, and pass.
CHATTER = re.compile(rb"[IW]\d{4} |(INFO|WARNING): ")
ANYTHING = re.compile(rb"")
_one_at_a_time = threading.RLock()


@contextlib.contextmanager
def without_chatter(chatter: re.Pattern[bytes] = CHATTER) -> Iterator[None]:
    """Holds back what is written to standard error while the block runs, and then writes what is no chatter.

    MediaPipe writes to the file descriptor from threads of its own; it has no setting against it (its logging
    callback hears the messages, which are written all the same). If the block raises, everything is written.

    Args:
      chatter: matches the beginnings of lines that are dropped.
    """
    with _one_at_a_time, tempfile.TemporaryFile() as held_back:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(held_back.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held_back.seek(0)
            kept = b"".join(line for line in held_back if failed or not chatter.match(line))
            if kept:
                os.write(2, kept)
