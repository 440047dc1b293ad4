"""Many to one, live: a camera in, gestures while they happen.

    from ostinato_gesture import GestureRecognizer

Importing this starts nothing; `GestureRecognizer.load()` starts TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ostinato_gesture.config import EventConfig
    from ostinato_gesture.gesture_recognizer import Event, GestureRecognizer, GestureResult, StepResult

__all__ = ["Event", "EventConfig", "GestureRecognizer", "GestureResult", "StepResult"]

# Imported when they are first asked for, so that `ostinato-gesture --help` need not wait for NumPy and TensorFlow.
_LATER = {
    "Event": "ostinato_gesture.results",
    "EventConfig": "ostinato_gesture.config",
    "GestureRecognizer": "ostinato_gesture.gesture_recognizer",
    "GestureResult": "ostinato_gesture.results",
    "StepResult": "ostinato_gesture.results",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
