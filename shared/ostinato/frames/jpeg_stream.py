"""JPEG images one after another, as `ffmpeg -f mjpeg -` writes them, to single images.

An image is complete with its last byte: what is live need not wait for the first byte of the next one.
"""

from collections.abc import Iterator

_START, _END = b"\xff\xd8", b"\xff\xd9"
_START_OF_SCAN = 0xDA
_FILL = 0xFF
# Markers that no length follows: stuffed zeros within the data of a scan, restarts, TEM.
_BARE = frozenset({0x00, 0x01, *range(0xD0, 0xD8)})
_MAX_BYTES = 64 * 2**20  # of one image: what is longer is none


class JpegSplitter:
    """Takes bytes as they come and gives images as they are complete. What lies between images is passed over.

    Attributes:
      passed_over: number of bytes that belonged to no complete image.
    """

    def __init__(self) -> None:
        self.passed_over = 0
        self._data = bytearray()
        self._place = 0  # up to which the image at the start of the data was walked through
        self._in_scan = False

    def add(self, data: bytes) -> Iterator[bytes]:
        """Yields the images that these bytes complete."""
        self._data += data
        while self._find_start():
            end = self._find_end()
            if end is None:
                return
            if end > 0:
                yield bytes(self._data[:end])
            self._cut(end or len(_START), lost=end == 0)

    def _find_start(self) -> bool:
        if self._place:
            return True
        start = self._data.find(_START)
        if start < 0:
            self._cut(max(0, len(self._data) - 1), lost=True)  # the last byte may be half a marker
            return False
        self._cut(start, lost=True)
        self._place = len(_START)
        return True

    def _find_end(self) -> int | None:
        """Where the image ends; None until more bytes come, 0 where it turns out to be damaged."""
        data = self._data
        while len(data) >= self._place + 2:
            if len(data) > _MAX_BYTES:
                return 0
            if self._in_scan:
                marker = data.find(b"\xff", self._place)
                self._place = len(data) if marker < 0 else marker
                if len(data) < self._place + 2:
                    return None
            if data[self._place] != 0xFF or data[self._place : self._place + 2] == _START:
                return 0
            kind = data[self._place + 1]
            if kind == _END[1]:
                return self._place + 2
            if kind == _FILL:
                self._place += 1
            elif kind in _BARE:
                self._place += 2
            elif len(data) < self._place + 4:
                return None
            else:  # a segment that tells its length; after the one that starts a scan comes data up to the next marker
                self._in_scan = kind == _START_OF_SCAN
                self._place += 2 + int.from_bytes(data[self._place + 2 : self._place + 4])
        return None

    def _cut(self, count: int, *, lost: bool) -> None:
        self.passed_over += count if lost else 0
        del self._data[:count]
        self._place, self._in_scan = 0, False
