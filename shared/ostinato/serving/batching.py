"""Requests that wait at the same time are computed together: a batch costs little more than one of its rows.

Reference: TensorFlow Serving, "Batching guide" (`max_batch_size`, `batch_timeout_micros`, `num_batch_threads`,
`max_enqueued_batches`, without `pad_variable_length_inputs`).
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import deque
from collections.abc import Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ostinato.serving.batch import Arrays, BatchQueue, Task, answer_batch, fail, kind_of, num_bytes_of, too_late
from ostinato.serving.errors import ServingError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchingOptions:
    """How requests are gathered.

    Attributes:
      max_batch_size: rows that are computed together; 1 for each request alone. A request with more is not split.
      max_batch_seconds: how long a batch may be expected to take. Beyond that, joining saves nothing any more, as the
        fixed costs of a call are shared already, while others wait longer and more memory is taken: a clip of eight
        frames is a batch of pictures in itself, and 32 clips are gigabytes.
      batch_timeout_ms: how long the first request of a batch waits for others, in milliseconds.
      num_threads: batches that are computed at the same time; TensorFlow itself uses all cores for each.
      max_queue: requests that may wait for one signature of one version, before others are refused.
      max_queue_mb: size of the inputs that may wait altogether, in MiB.
      max_rows: of one request. A short text takes a thousand times the memory of its bytes while it is translated.
    """

    max_batch_size: int = 32
    max_batch_seconds: float = 0.5
    batch_timeout_ms: float = 1.0
    num_threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    max_queue: int = 256
    max_queue_mb: float = 512.0
    max_rows: int = 2048


class BatchScheduler:
    """Gathers what waits in the queues of all models, and computes it in a few threads.

    Args:
      options: sizes and times.
    """

    def __init__(self, options: BatchingOptions) -> None:
        self.options = options
        self._changed = threading.Condition()
        self._queues: set[BatchQueue] = set()  # those in which something waits
        self._num_free = options.num_threads
        self.num_bytes_of = 0
        self._is_stopping = False
        self._pool = ThreadPoolExecutor(options.num_threads, thread_name_prefix="batch")
        self._dispatcher = threading.Thread(target=self._dispatch, name="batch-dispatcher", daemon=True)
        self._dispatcher.start()

    @property
    def num_waiting(self) -> int:
        """Requests that wait, in all queues."""
        with self._changed:
            return sum(queue.num_waiting for queue in self._queues)

    def submit(self, queue: BatchQueue, inputs: Arrays, seconds: float) -> Future[dict[str, np.ndarray]]:
        """Puts a request into a queue; the future may be cancelled as long as it is not being computed.

        Args:
          queue: of the function to be called.
          inputs: names and shapes as the function takes them; a scalar input is a setting.
          seconds: after which nobody waits for the answer any more.

        Returns:
          of the outputs, or of a ServingError: DEADLINE_EXCEEDED, or what the function raised.

        Raises:
          ServingError: UNAVAILABLE, the queue is full or the server stops; INVALID_ARGUMENT, too many rows.
        """
        sizes = {array.shape[0] for array in inputs.values() if array.ndim}
        num_rows = max(sizes, default=1)
        if num_rows > self.options.max_rows:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"Task size {num_rows} is larger than maximum input batch size {self.options.max_rows}; send fewer "
                "rows at a time",
            )
        now = time.monotonic()
        answer: Future[dict[str, np.ndarray]] = Future()
        task = Task(inputs, num_rows, num_bytes_of(inputs), now + seconds, now, answer)
        key = kind_of(inputs) if len(sizes) == 1 and queue.keeps_rows else object()  # of its own: computed alone
        with self._changed:
            self._check_room(queue, task)
            queue.groups.setdefault(key, deque()).append(task)
            queue.num_waiting += 1
            self.num_bytes_of += task.num_bytes
            self._queues.add(queue)
            self._changed.notify_all()
        return answer

    def stop(self, drain_seconds: float = 0.0) -> None:
        """Takes no more requests, computes those that wait, and refuses what is left after some seconds."""
        deadline = time.monotonic() + drain_seconds
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
            while self._queues or self._num_free < self.options.num_threads:
                if not self._changed.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    break
            left = [task for queue in self._queues for group in queue.groups.values() for task in group]
            self._queues.clear()
            self._changed.notify_all()
        for task in left:
            fail([task], ServingError("UNAVAILABLE", "the server stops", retry_after=1.0))
        self._dispatcher.join()
        self._pool.shutdown(wait=not left, cancel_futures=True)

    def _check_room(self, queue: BatchQueue, task: Task) -> None:
        if self._is_stopping:
            raise ServingError("UNAVAILABLE", "the server stops", retry_after=1.0)
        limit = self.options.max_queue_mb * 2**20
        if queue.num_waiting >= self.options.max_queue or self.num_bytes_of + task.num_bytes > limit:
            for each in list(self._queues):
                self._drop_dead(each)
        if queue.num_waiting >= self.options.max_queue:
            raise ServingError(
                "UNAVAILABLE", f"{queue.num_waiting} requests wait already; try again later", self._seconds_of(queue)
            )
        if self.num_bytes_of + task.num_bytes > limit:
            raise ServingError(
                "UNAVAILABLE", "too many bytes wait already; try again later", retry_after=self._seconds_of(queue)
            )

    def _seconds_of(self, queue: BatchQueue) -> float:
        """How long what waits in a queue will take, from 1 to 60 s."""
        num_bytes = sum(task.num_bytes for group in queue.groups.values() for task in group)
        return float(min(60, max(1, math.ceil(num_bytes * queue.seconds_a_byte / self.options.num_threads))))

    def _drop_dead(self, queue: BatchQueue) -> None:
        for key, group in list(queue.groups.items()):
            dead = [task for task in group if task.is_dead]
            self._take(queue, key, dead)
            fail(dead, too_late())

    def _take(self, queue: BatchQueue, key: Hashable, tasks: Sequence[Task]) -> None:
        """Removes tasks from their queue."""
        group = queue.groups[key]
        for task in tasks:
            group.remove(task)
            queue.num_waiting -= 1
            self.num_bytes_of -= task.num_bytes
        if not group:
            del queue.groups[key]
        if not queue.groups:
            self._queues.discard(queue)

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                while (batch := self._next_batch()) is None:
                    if self._is_stopping and not self._queues:
                        return
                    self._changed.wait(self._seconds_to_next())
                self._num_free -= 1
            queue, tasks = batch
            self._pool.submit(answer_batch, queue, tasks).add_done_callback(partial(self._finished, tasks))

    def _next_batch(self) -> tuple[BatchQueue, list[Task]] | None:
        """The batch whose first request has waited longest, of those that are full or have waited long enough."""
        if not self._num_free:
            return None
        now = time.monotonic()
        ready = [
            (group[0].arrived, queue, key)
            for queue in self._queues
            for key, group in queue.groups.items()
            if self._is_ready(queue, key, now)
        ]
        if not ready:
            return None
        _, queue, key = min(ready, key=lambda each: each[0])
        tasks, _ = self._batch_of(queue, key)
        self._take(queue, key, tasks)
        return queue, tasks

    def _batch_of(self, queue: BatchQueue, key: Hashable) -> tuple[list[Task], bool]:
        """The requests of a group that go together first, and whether no other would go with them."""
        tasks: list[Task] = []
        num_rows, seconds = 0, 0.0
        for task in queue.groups[key]:
            num_rows += task.num_rows
            seconds += task.num_bytes * queue.seconds_a_byte
            if tasks and (num_rows > self.options.max_batch_size or seconds > self.options.max_batch_seconds):
                return tasks, True
            tasks.append(task)
        return tasks, num_rows >= self.options.max_batch_size

    def _is_ready(self, queue: BatchQueue, key: Hashable, now: float) -> bool:
        waited = now - queue.groups[key][0].arrived >= self.options.batch_timeout_ms / 1000
        alone = not isinstance(key, tuple)
        return waited or alone or self._is_stopping or self._batch_of(queue, key)[1]

    def _seconds_to_next(self) -> float | None:
        """Until a batch has waited long enough; None where something else must happen first."""
        if not self._num_free or not self._queues:
            return None
        first = min(group[0].arrived for queue in self._queues for group in queue.groups.values())
        return max(0.0, first + self.options.batch_timeout_ms / 1000 - time.monotonic())

    def _finished(self, tasks: Sequence[Task], done: Future[None]) -> None:
        if (error := done.exception()) is not None:
            _log.error("a batch failed by a fault of the server", exc_info=error)
            fail(tasks, ServingError("INTERNAL", "the server failed on this request"))
        with self._changed:
            self._num_free += 1
            self._changed.notify_all()
