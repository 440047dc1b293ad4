"""How far long work has come: a bar on standard error, with the time left."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str, total: int | None = None) -> Generator[Item, None, None]:
    """Passes items on and shows in a bar how many have been done.

    Args:
      items: the work, one item each step.
      description: what is being done, such as "Captioning".
      total: number of items where `items` does not know it; None for work of unknown length.
    """
    total = len(items) if total is None and isinstance(items, Sized) else total
    with progress_bar(description, total) as show:
        for number, item in enumerate(items, start=1):
            yield item
            show(number)


@contextlib.contextmanager
def progress_bar(description: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Shows a bar where standard error is a terminal, nothing elsewhere; yields `show(done, description=None)`.

    The bar vanishes when the work is done or given up, so that results and messages stand alone.

    Args:
      description: what is being done; `show` may change it.
      total: number of steps, None if unknown.
    """
    if not sys.stderr.isatty():
        yield lambda done, description=None: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # What is written to the terminal meanwhile goes above the bar; what goes to a file or a pipe must not pass here.
    shared = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=shared) as bars:
        task = bars.add_task(description, total=total)
        yield lambda done, description=None: bars.update(task, completed=done, description=description)


def counter(show: Callable[..., None]) -> Callable[[], None]:
    """Returns a function that counts its calls and shows how many there were, for work that tells of each step."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        show(done)

    return count
