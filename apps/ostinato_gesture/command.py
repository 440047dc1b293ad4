"""What the modules of the command line share: the application, its flags, opening a run directory.

Nothing here or in the modules of the verbs starts TensorFlow, OpenCV or MediaPipe before a verb runs, so that `--help`
is instant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from ostinato.commands import make_application

if TYPE_CHECKING:
    from ostinato_gesture.run import Run

app = make_application("ostinato-gesture", "Recognises gestures, live or in recordings: which, when, and each once.")

Format = Literal["text", "json"]
EventFormat = Literal["text", "json", "csv", "srt", "vtt"]
Layout = Literal["segments", "manifest", "folders"]
FLAT = Parameter(name="*")  # the fields of a dataclass become flags of their own
FLAG = Parameter(negative=())
DEFAULT_MODEL = "gesture"


def open_run(folder: Path) -> Run:
    """Opens a run directory, or raises DataError before TensorFlow is imported."""
    from ostinato_gesture.run import Run

    run = Run(folder)
    _ = run.prepared
    return run
