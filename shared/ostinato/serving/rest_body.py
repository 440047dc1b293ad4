"""Reading the body of a request from a client that may be slow, endless or gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import ClientDisconnect, Request

from ostinato.serving.errors import ServingError


class BodyTooLargeError(ServingError):
    """A body that is longer than the server takes: 413, which gRPC has no code for."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__("RESOURCE_EXHAUSTED", f"the body has more than {max_bytes} bytes; send less at a time")

    @property
    def http_status(self) -> int:
        return 413


class BodyTooSlowError(ServingError):
    """A body that does not come to its end: 408."""

    def __init__(self, seconds: float) -> None:
        super().__init__("DEADLINE_EXCEEDED", f"the body did not come within {seconds:g} s")

    @property
    def http_status(self) -> int:
        return 408


class BodyReader:
    """Reads bodies within limits of size, time, and memory for all of them together.

    Args:
      max_bytes: of one body; a longer one that says so is refused before it is read.
      max_bytes_together: of all bodies that are being read or answered.
      seconds: a body must have come by then.

    Attributes:
      held: bytes of all bodies at the moment.
    """

    def __init__(self, max_bytes: int, max_bytes_together: int, seconds: float) -> None:
        self.max_bytes, self.max_bytes_together, self.seconds = max_bytes, max_bytes_together, seconds
        self.held = 0

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The body, which counts as held until the block ends.

        Raises:
          ServingError: too large, too slow, too much held already (UNAVAILABLE), or a length that is no number.
          ClientDisconnect: the client went away.
        """
        held = _Held(self)
        try:
            held.grow_to(_announced(request))
            yield await self._read(request, held)
        finally:
            held.grow_to(0)

    async def _read(self, request: Request, held: _Held) -> bytes:
        chunks, size = [], 0
        try:
            async with asyncio.timeout(self.seconds):
                async for chunk in request.stream():
                    size += len(chunk)
                    held.grow_to(max(size, held.num_bytes))
                    chunks.append(chunk)
        except TimeoutError as error:
            raise BodyTooSlowError(self.seconds) from error
        return b"".join(chunks)


class _Held:
    """The memory of one body."""

    def __init__(self, reader: BodyReader) -> None:
        self.reader, self.num_bytes = reader, 0

    def grow_to(self, num_bytes: int) -> None:
        reader = self.reader
        if num_bytes > reader.max_bytes:
            raise BodyTooLargeError(reader.max_bytes)
        more = num_bytes - self.num_bytes
        if reader.held + more > reader.max_bytes_together:
            raise ServingError("UNAVAILABLE", "too many bytes are being read already; try again later", retry_after=1.0)
        reader.held += more
        self.num_bytes = num_bytes


async def discard(request: Request, seconds: float) -> None:
    """Reads on for a while, so that a client that is still sending gets to read its answer."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return  # it waits to be told to send
    with suppress(ClientDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive()).get("more_body"):
                await asyncio.sleep(0)  # so that the time is kept even where there is always more


def _announced(request: Request) -> int:
    """What the header says; 0 where it says nothing."""
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()):
        raise ServingError("INVALID_ARGUMENT", "the length of the body is no number")
    return int(length[:20])
