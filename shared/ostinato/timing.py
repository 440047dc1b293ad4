"""How long calls take, and how much memory the process has taken."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_WARM_UP_ROUNDS = 2


def time_in_turns(calls: Sequence[Callable[[], Any]], repeats: int) -> np.ndarray:
    """Times calls in turns, so that a busy moment of the machine hits all alike, after two rounds that do not count.

    Args:
      calls: what is timed; a call must wait for its own result.
      repeats: rounds.

    Returns:
      Milliseconds, float [repeats, calls].
    """
    times = np.empty((repeats, len(calls)))
    for round_number in range(-_WARM_UP_ROUNDS, repeats):
        for number, call in enumerate(calls):
            start = time.perf_counter()
            call()
            if round_number >= 0:
                times[round_number, number] = 1000 * (time.perf_counter() - start)
    return times


def peak_memory_mb() -> float:
    """Returns the greatest resident memory of this process so far, in MB of a million bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def resident_memory_mb() -> float:
    """Returns the resident memory of this process now, in MB of a million bytes; where that is not told, the peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return peak_memory_mb()
    return pages * resource.getpagesize() / 1e6
