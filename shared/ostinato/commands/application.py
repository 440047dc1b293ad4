"""From a command line to an exit code: verbs run, faults become one sentence on standard error."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence

import cyclopts

from ostinato import __version__
from ostinato.commands.extras import extra_that_has
from ostinato.commands.signals import Terminated, signals_as_exceptions
from ostinato.commands.whole_numbers import refuse_fractions
from ostinato.errors import UserError

# The exit codes that shells expect: 128 and the number of the signal.
SUCCESS, SOME_INPUTS_FAILED, USER_ERROR = 0, 1, 2
INTERRUPTED, BROKEN_PIPE, TERMINATED = 128 + 2, 128 + 13, 128 + 15

# A lone hyphen, which cyclopts would take for an unknown option, reaches the verbs as this path.
STANDARD_INPUT = "/dev/stdin"

# What a user can cause with a path or a full disk; any other OSError is a fault of the program and keeps its traceback.
_FAULTS_OF_USERS = {
    errno.EACCES,
    errno.EDQUOT,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
}


def make_application(name: str, description: str) -> cyclopts.App:
    """Returns the command line of an application, to which verbs are added with `@app.command`.

    A verb is a function that returns its exit code, or None for 0. Its dataclass arguments become flags:
    a field with the docstring below it is a flag with its help.

    Args:
      name: what the user types, such as `ostinato-caption`.
      description: one sentence for `--help`.
    """
    return cyclopts.App(
        name=name,
        help=description,
        version=f"{name} {__version__}",
        version_format="plaintext",
        suppress_keyboard_interrupt=False,
        default_parameter=cyclopts.Parameter(negative_iterable=(), negative_none=()),
        config=refuse_fractions,
    )


def run_application(app: cyclopts.App, arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and returns its exit code.

    0 is success, 1 some inputs failed (a verb says so), 2 a fault that the user can mend, named in one sentence on
    standard error, 130 an interrupt, 141 a reader that went away (`| head`), 143 a termination. A fault of the
    program itself keeps its traceback.

    Args:
      app: from `make_application`.
      arguments: words of the command line; those of this process if None. A verb that is given `-` gets
        `STANDARD_INPUT`.
    """
    name = app.name[0]
    words = sys.argv[1:] if arguments is None else arguments
    try:
        with signals_as_exceptions():
            code = app(
                [STANDARD_INPUT if word == "-" else word for word in words],
                exit_on_error=False,
                print_error=False,
                verbose=False,
                result_action="return_value",
            )
            sys.stdout.flush()  # here, where a broken pipe can still be handled
        return code or SUCCESS
    except (cyclopts.CycloptsError, UserError) as error:
        return _fail(name, _one_line(error), USER_ERROR)
    except ModuleNotFoundError as error:
        extra = extra_that_has(error.name)
        if extra is None:
            raise
        return _fail(name, f"this needs {error.name}; install it with: pip install 'ostinato[{extra}]'", USER_ERROR)
    except BrokenPipeError:
        # Python flushes standard output once more when it exits: into nothing, so that it does not complain.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        if error.errno not in _FAULTS_OF_USERS:
            raise
        place = f"{error.filename}: " if error.filename else ""
        return _fail(name, f"{place}{error.strerror}", USER_ERROR)
    except Terminated:
        return _fail(name, "terminated", TERMINATED)
    except KeyboardInterrupt:
        return _fail(name, "interrupted", INTERRUPTED)


def say(app: cyclopts.App, sentence: str) -> None:
    """Tells the user what was done, in one line on standard error."""
    sys.stderr.write(f"{app.name[0]}: {sentence}\n")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _fail(name: str, sentence: str, code: int) -> int:
    sys.stderr.write(f"{name}: {sentence}\n")
    return code
