"""The requests of one function, and how a batch of them is computed.

Requests are joined along the first dimension where all other sizes agree, and their scalar inputs too (settings of a
call); no input is padded. A request does not suffer from its neighbours: where a batch fails it is halved until those
that fail stand alone. As with TensorFlow Serving, an output that a graph makes as long as the longest of its rows comes
back padded to the longest of the batch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ostinato.serving.errors import ServingError

Arrays = Mapping[str, np.ndarray]
Run = Callable[[Arrays], dict[str, np.ndarray]]
Watch = Callable[[int, float], None]


@dataclass(eq=False)
class Task:
    """A request: what is asked, since when and until when by `time.monotonic()`, and where the answer goes."""

    inputs: Arrays
    num_rows: int
    num_bytes: int
    deadline: float
    arrived: float
    answer: Future[dict[str, np.ndarray]]

    @property
    def is_dead(self) -> bool:
        """Nobody waits for it any more."""
        return self.answer.cancelled() or time.monotonic() > self.deadline


class BatchQueue:
    """The requests that wait for one function.

    Args:
      run: from inputs with a batch dimension to outputs with the same one.
      watch: called with the rows and seconds of each batch.
    """

    def __init__(self, run: Run, watch: Watch = lambda rows, seconds: None) -> None:
        self.run, self.watch = run, watch
        self.groups: dict[Hashable, deque[Task]] = {}
        self.num_waiting = 0
        self.seconds_a_byte = 0.0  # of the inputs: how long it takes; a moving average, 0 at first
        self.keeps_rows = True  # until an output is seen that has other rows than the inputs

    def learn(self, seconds: float, num_bytes: int) -> None:
        """Remembers what a batch took; one that was held up counts little, and is soon forgotten."""
        more = seconds / max(1, num_bytes) - self.seconds_a_byte
        self.seconds_a_byte += more * (0.1 if more > 0 else 0.5)


def answer_batch(queue: BatchQueue, tasks: Sequence[Task]) -> None:
    """Computes a batch and gives each request its rows."""
    alive = []
    for task in tasks:
        if time.monotonic() > task.deadline:
            fail([task], too_late())
        elif task.answer.set_running_or_notify_cancel():
            alive.append(task)
    if alive:
        _compute(queue, alive)


def _compute(queue: BatchQueue, tasks: Sequence[Task]) -> None:
    started = time.monotonic()
    try:
        outputs = queue.run(tasks[0].inputs if len(tasks) == 1 else _joined(tasks))
    except ServingError as error:
        if len(tasks) == 1:
            tasks[0].answer.set_exception(error)
            return
        for half in (tasks[: len(tasks) // 2], tasks[len(tasks) // 2 :]):
            _compute(queue, half)
        return
    seconds, num_rows = time.monotonic() - started, sum(task.num_rows for task in tasks)
    queue.learn(seconds, sum(task.num_bytes for task in tasks))
    queue.watch(num_rows, seconds)
    if len(tasks) == 1:
        tasks[0].answer.set_result(outputs)
    elif all(array.ndim and len(array) == num_rows for array in outputs.values()):
        start = 0
        for task in tasks:
            rows = slice(start, start + task.num_rows)
            task.answer.set_result({name: array[rows] for name, array in outputs.items()})
            start += task.num_rows
    else:  # an output that belongs to no row cannot be shared out
        queue.keeps_rows = False
        for task in tasks:
            _compute(queue, [task])


def _joined(tasks: Sequence[Task]) -> dict[str, np.ndarray]:
    return {
        name: np.concatenate([task.inputs[name] for task in tasks]) if first.ndim else first
        for name, first in tasks[0].inputs.items()
    }


def kind_of(inputs: Arrays) -> tuple[Hashable, ...]:
    """Equal for requests that can be joined."""
    return tuple(
        (name, array.shape[1:]) if array.ndim else (name, array.item()) for name, array in sorted(inputs.items())
    )


def num_bytes_of(inputs: Arrays) -> int:
    """The size of arrays, that of the strings in them included."""
    return sum(
        sum(len(value) for value in array.flat) if array.dtype == object else array.nbytes for array in inputs.values()
    )


def fail(tasks: Sequence[Task], error: ServingError) -> None:
    """Tells those that still wait for an answer that there will be none."""
    for task in tasks:
        with suppress(InvalidStateError):  # given up meanwhile
            task.answer.set_exception(error)


def too_late() -> ServingError:
    """What a request is told that waited past its deadline."""
    return ServingError("DEADLINE_EXCEEDED", "the request waited too long", retry_after=1.0)
