"""A camera, by OpenCV."""

from pathlib import Path

import numpy as np

from ostinato.errors import ConfigError, InputError
from ostinato.frames.pixels import fitted_size
from ostinato.frames.sources import SourceLostError, source_name

try:
    import cv2
except ImportError as error:  # a shared library of the system's that its windows need
    raise ConfigError(f"Cameras need OpenCV, which cannot be loaded ({error}); install the library it names.") from None


class Camera:
    """A camera by its number, or by its device (`/dev/video0`).

    Raises:
      InputError: there is none, it is in use, or it sends no frame.
    """

    def __init__(self, source: str | int | Path, max_side: int | None = None) -> None:
        self._max_side = max_side
        number = str(source).removeprefix("/dev/video")
        # What OpenCV says on standard error is said below, once and in words.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._capture = cv2.VideoCapture(int(number))
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # newest frames: drivers keep four
        self._first: np.ndarray | None = None
        try:
            self._first = self.read()
        except SourceLostError:
            self.close()
            name = source_name(source)
            raise InputError(f"{name} cannot be opened: there is none, or another program uses it.") from None

    def read(self) -> np.ndarray | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        good, image = self._capture.read()
        if not good or image is None:
            raise SourceLostError("it sends no frame")
        height, width = image.shape[:2]
        size = fitted_size(width, height, self._max_side)
        if size != (width, height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def close(self) -> None:
        self._capture.release()
