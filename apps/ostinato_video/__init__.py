"""Many to one, all the time: a video in, what happens in it and when out.

    from ostinato_video import VideoClassifier

Importing this starts nothing; `VideoClassifier.load()` starts TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ostinato_video.config import TimelineConfig
    from ostinato_video.video_classifier import FrameResult, VideoClassifier, VideoResult

__all__ = ["FrameResult", "TimelineConfig", "VideoClassifier", "VideoResult"]

# Imported when they are first asked for, so that `ostinato-video --help` need not wait for NumPy and TensorFlow.
_LATER = {
    "FrameResult": "ostinato_video.video_classifier",
    "TimelineConfig": "ostinato_video.config",
    "VideoClassifier": "ostinato_video.video_classifier",
    "VideoResult": "ostinato_video.video_classifier",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
