"""A window on the screen in which live results are seen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import cv2
import numpy as np

from ostinato.errors import UserError

if TYPE_CHECKING:
    from ostinato.frames.live import LiveStatistics
    from ostinato.frames.reading import Frame

_ENDING_KEYS = frozenset({ord("q"), ord("Q"), 27})  # 27 is Escape
_PROBE_SECONDS = 30.0


class Window:
    """Shows frames until `q`, Escape or the window's own button ends it.

    Args:
      title: of the window.
      draw: from a frame, its result and the statistics so far to the image that is shown, uint8 [H, W, 3], RGB.

    Raises:
      UserError: there is no display, or OpenCV was built without windows; on entering the `with` block.
    """

    def __init__(self, title: str, draw: Callable[[Frame, Any, LiveStatistics], np.ndarray]):
        self.title, self.draw = title, draw
        self._was_visible = False

    def __enter__(self) -> Self:
        check_display()
        cv2.namedWindow(self.title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        return self

    def show(self, frame: Frame, result: Any, statistics: LiveStatistics) -> None:
        """Draws a frame and its result."""
        cv2.imshow(self.title, cv2.cvtColor(self.draw(frame, result, statistics), cv2.COLOR_RGB2BGR))

    def ended(self) -> bool:
        """Lets the window react, and tells whether the user has ended it."""
        key = cv2.waitKey(1)
        visible = cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) >= 1
        # A window may need a moment to appear, and not every window system tells whether one is there.
        closed = self._was_visible and not visible
        self._was_visible = self._was_visible or visible
        return key & 0xFF in _ENDING_KEYS or closed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        cv2.destroyAllWindows()


def check_display() -> None:
    """Makes sure that a window can be opened.

    Raises:
      UserError: it cannot; the message says why, and how to go on without.
    """
    has_screens = sys.platform.startswith("linux")  # elsewhere a session always has one
    if has_screens and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError("There is no display to open a window on (DISPLAY is not set); add --headless.")
    if any(line.split()[:2] == ["GUI:", "NONE"] for line in cv2.getBuildInformation().splitlines()):
        raise UserError(
            "The installed OpenCV was built without windows; add --headless, or install opencv-python in place of "
            "opencv-python-headless."
        )
    if not has_screens:
        return
    # Where a display is named but does not answer, Qt ends the whole process: so another process tries first.
    probe = [sys.executable, "-c", "import cv2; cv2.namedWindow('probe'); cv2.destroyAllWindows()"]
    try:
        opened = subprocess.run(probe, capture_output=True, timeout=_PROBE_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        opened = False
    if not opened:
        named = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        raise UserError(f"No window can be opened on the display {named}; check DISPLAY, or add --headless.")
