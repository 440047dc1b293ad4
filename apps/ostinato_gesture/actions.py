"""Programs that run when a gesture is made: `--on GESTURE=COMMAND`."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from ostinato.errors import ConfigError
from ostinato_gesture.results import Event

_MOST_AT_ONCE = 4  # of one gesture: a program that hangs is not started for ever
_STANDARD_ERROR = 2  # file descriptor; standard output has the events


class Actions:
    """Starts the program of a gesture, in the background, and goes on at once.

    A program that fails is told of; one that hangs is left alone, and where too many of a gesture do, no more are
    started. The event is in its environment: `OSTINATO_GESTURE`, `OSTINATO_CONFIDENCE` and `OSTINATO_TIME` (seconds).
    No shell reads the command: pipes, variables and wildcards mean nothing in it.

    Args:
      commands: the words of a command by label.
      on_notice: is called, from other threads, with a sentence where a program failed or was not started.
    """

    def __init__(
        self, commands: Mapping[str, Sequence[str]], on_notice: Callable[[str], None] = lambda sentence: None
    ) -> None:
        self.commands, self._notice = {label: list(words) for label, words in commands.items()}, on_notice
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Starts the program of an event, if its gesture has one."""
        words = self.commands.get(event.label)
        if words is None:
            return
        with self._lock:
            refused = self._running[event.label] >= _MOST_AT_ONCE
            self._running[event.label] += not refused
        if refused:
            self._notice(f"{words[0]} of {event.label} still runs {_MOST_AT_ONCE} times; it was not started again.")
            return
        # A daemon, so that a program that hangs keeps nobody from ending.
        threading.Thread(target=self._run, args=(event, words), name=f"program of {event.label}", daemon=True).start()

    def _run(self, event: Event, words: Sequence[str]) -> None:
        facts = {
            "OSTINATO_GESTURE": event.label,
            "OSTINATO_CONFIDENCE": f"{event.confidence:.4f}",
            "OSTINATO_TIME": f"{event.end:.3f}",
        }
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=_STANDARD_ERROR,
                env={**os.environ, **facts},
                start_new_session=True,  # Ctrl-C ends us, not what was started
                check=False,
            )
            if done.returncode:
                self._notice(f"{words[0]} of {event.label} failed with exit code {done.returncode}.")
        except OSError as error:
            self._notice(f"{words[0]} of {event.label} cannot be started ({error.strerror}).")
        finally:
            with self._lock:
                self._running[event.label] -= 1


def parse_actions(texts: Iterable[str], labels: Sequence[str], none: str | None = None) -> dict[str, list[str]]:
    """Returns the words of the command of each gesture.

    Args:
      texts: such as `LightOn=curl http://lamp/on`; quotes hold words together, as in a shell.
      labels: what the model tells apart.
      none: the label of what is no gesture; nothing can be run at it.

    Raises:
      ConfigError: no `=`, a gesture that the model does not know or that has a command already, or a program that is
        not there.
    """
    gestures = [label for label in labels if label != none]
    commands: dict[str, list[str]] = {}
    for text in texts:
        label, equals, command = text.partition("=")
        if not equals:
            raise ConfigError(f"--on {text} names no command; write --on GESTURE=COMMAND.")
        if label not in gestures:
            raise ConfigError(f"--on {text}: the model knows no gesture {label!r}; it knows {', '.join(gestures)}.")
        if label in commands:
            raise ConfigError(f"--on {text}: {label} has a command already; let one program run the other.")
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise ConfigError(f"--on {text} cannot be split into words ({error}); close the quotes.") from None
        if not words:
            raise ConfigError(f"--on {text} names no command; write --on {label}=COMMAND.")
        if shutil.which(words[0]) is None:
            raise ConfigError(f"--on {text}: there is no program {words[0]!r}; give its path, or install it.")
        commands[label] = words
    return commands
