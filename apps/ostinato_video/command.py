"""What the modules of the command line share: the application, its flags, opening a run directory.

Nothing here or in the modules of the verbs starts TensorFlow or OpenCV before a verb runs, so that `--help` is instant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from ostinato.commands import make_application

if TYPE_CHECKING:
    from ostinato_video.run import Run

app = make_application("ostinato-video", "Labels video frame by frame: what happens in it, and when.")

Format = Literal["text", "json"]
TimelineFormat = Literal["text", "json", "csv", "srt", "vtt"]
Layout = Literal["segments", "manifest", "folders", "tfds"]
FLAT = Parameter(name="*")  # the fields of a dataclass become flags of their own
FLAG = Parameter(negative=())
DEFAULT_MODEL = "video_activities"


def open_run(folder: Path) -> Run:
    """Opens a run directory, or raises DataError before TensorFlow is imported."""
    from ostinato_video.run import Run

    run = Run(folder)
    _ = run.prepared
    return run
