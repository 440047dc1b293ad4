"""Asking again where that can help, within a time and a number of attempts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

_FIRST_PAUSE = 0.1  # seconds
_LONGEST_PAUSE = 5.0


class CallFailed(Exception):  # noqa: N818  # it is caught here, and users see another
    """One attempt to ask a server that brought no answer.

    Attributes:
      code: canonical name of the status, such as UNAVAILABLE; UNREACHABLE where nobody answered at all.
      message: what the server, or this machine, says of it.
      may_retry: asking again may help, and cannot do harm.
      retry_after: seconds after which the server asks to be asked again, if it says so.
    """

    def __init__(self, code: str, message: str, *, may_retry: bool = False, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message
        self.may_retry, self.retry_after = may_retry, retry_after


def with_retries(
    attempt: Callable[[float], Answer],
    *,
    timeout: float,
    attempts: int,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> Answer:
    """Returns the first answer.

    The pauses double from attempt to attempt, and each is drawn from the upper half of its time, so that many clients
    that were refused together come back one by one. A server that names a time is not asked before it.

    Args:
      attempt: is given the seconds that are left; raises CallFailed.
      timeout: seconds for everything, pauses included.
      attempts: how often at most.
      clock: seconds that pass.
      sleep: waits for seconds.
      jitter: 0 to 1 at random.

    Raises:
      CallFailed: the last failure: it may not be retried, or neither time nor attempts are left.
    """
    end = clock() + timeout
    for number in range(attempts):
        try:
            return attempt(max(end - clock(), 1e-3))
        except CallFailed as failure:
            pause = min(_FIRST_PAUSE * 2**number, _LONGEST_PAUSE) * (1 + jitter()) / 2
            pause = max(pause, failure.retry_after or 0)
            if not failure.may_retry or number + 1 == attempts or clock() + pause >= end:
                raise
        sleep(pause)
    raise ValueError(f"{attempts} attempts; allow 1 or more")
