"""Computing for the page in threads, while the server goes on answering."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from ostinato.serving.errors import ServingError

_T = TypeVar("_T")


class Work:
    """Runs a few functions at a time, lets a few more wait, and refuses the rest.

    Args:
      num_threads: that run.
      max_waiting: that wait.
    """

    def __init__(self, num_threads: int = 4, max_waiting: int = 16) -> None:
        self.num_threads, self.max_waiting = num_threads, max_waiting
        self._limiter: anyio.CapacityLimiter | None = None  # belongs to an event loop

    async def run(self, function: Callable[..., _T], *arguments: Any, **options: Any) -> _T:
        """Calls a function in a thread.

        Raises:
          ServingError: UNAVAILABLE, too many are waiting.
        """
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self.num_threads)
        if self._limiter.statistics().tasks_waiting >= self.max_waiting:
            raise ServingError("UNAVAILABLE", "the server is busy; try again in a moment", retry_after=2.0)
        return await anyio.to_thread.run_sync(partial(function, *arguments, **options), limiter=self._limiter)
