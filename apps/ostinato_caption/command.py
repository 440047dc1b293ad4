"""What the modules of the command line share: the application, its flags, opening a run directory.

Nothing here or in the modules of the verbs starts TensorFlow before a verb runs, so that `--help` is instant.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from ostinato.commands import make_application

if TYPE_CHECKING:
    from ostinato_caption.run import Run

app = make_application("ostinato-caption", "Describes photos in sentences, with where the network looked.")

Format = Literal["text", "json"]
Layout = Literal["flickr8k", "coco", "csv", "tfds"]
FLAT = Parameter(name="*")  # the fields of a dataclass become flags of their own
DEFAULT_MODEL = "caption"


def open_run(folder: Path) -> Run:
    """Opens a run directory, or raises DataError before TensorFlow is imported."""
    from ostinato_caption.run import Run

    run = Run(folder)
    _ = run.prepared
    return run
