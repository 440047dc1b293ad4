"""What a browser sends: forms with a file, within limits of size and time, and gone when they are answered."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import FormData, State, UploadFile
from starlette.requests import Request
from starlette.types import Message

from ostinato.errors import InputError
from ostinato.serving.errors import ServingError
from ostinato.serving.rest_body import BodyTooLargeError, BodyTooSlowError

_FORM_BYTES = 2**16  # of a form besides its file
_FIELD_BYTES = 2**16
_BYTES_TOGETHER = 2**30  # of all uploads that are read or answered
_NAME = re.compile(r"[^\w .()+-]+")
_LONGEST_NAME = 80
# A playlist or a list of files would make the reader of videos open what it names, on this machine or another.
_VIDEO_BEGINNINGS = re.compile(
    rb"....(?:ftyp|moov|mdat|wide|free|skip)"  # MP4, QuickTime
    rb"|\x1aE\xdf\xa3"  # Matroska, WebM
    rb"|RIFF....AVI |OggS|FLV\x01|GIF8[79]a"
    rb"|\x00\x00\x01\xba|\x30\x26\xb2\x75"  # MPEG program stream, Windows Media
    rb"|G.{187}G",  # MPEG transport stream
    re.DOTALL,
)


@asynccontextmanager
async def form_of(request: Request, max_bytes: int, seconds: float) -> AsyncIterator[FormData]:
    """The fields of a form. A file of more than a megabyte lies on disk without a name until the block ends.

    Raises:
      ServingError: the body is too large or too slow, or others take up the room (UNAVAILABLE).
      HTTPException: it is no form.
    """
    body = _Limited(request, max_bytes + _FORM_BYTES)
    try:
        try:
            async with asyncio.timeout(seconds):
                form = await Request(request.scope, body).form(max_files=1, max_fields=20, max_part_size=_FIELD_BYTES)
        except TimeoutError as error:
            raise BodyTooSlowError(seconds) from error
        try:
            yield form
        finally:
            await form.close()
    finally:
        body.release()


def text_field(form: FormData, name: str, default: str = "") -> str:
    """A field that is no file."""
    value = form.get(name, default)
    return value if isinstance(value, str) else default


def file_field(form: FormData, name: str) -> UploadFile | None:
    """The file in a field, None where none was chosen."""
    value = form.get(name)
    return value if isinstance(value, UploadFile) and value.filename else None


def shown_name(name: str | None) -> str:
    """The name of an upload, without folders and without what no file name needs; it is shown, and never opened."""
    last = re.split(r"[/\\]", name or "")[-1]
    return _NAME.sub("_", last).strip(" .")[-_LONGEST_NAME:] or "upload"


@contextmanager
def video_file(content: BinaryIO, name: str) -> Iterator[Path]:
    """An uploaded video as a file, which is removed with its folder when the block ends.

    Raises:
      InputError: it does not begin as a file of pictures that move does.
    """
    content.seek(0)
    if not _VIDEO_BEGINNINGS.match(content.read(200)):
        raise InputError(f"{name} is no video that can be read; give a file such as .mp4, .mov, .webm, .mkv or .avi")
    content.seek(0)
    with tempfile.TemporaryDirectory(prefix="ostinato-page-") as folder:
        path = Path(folder) / name
        with path.open("xb") as file:
            shutil.copyfileobj(content, file)
        yield path


class _Limited:
    """Receives a body until it is too large, or too much lies here altogether.

    Raises:
      ServingError: it has more bytes than are taken, or says that it will have.
    """

    def __init__(self, request: Request, max_bytes: int) -> None:
        self._request, self._max_bytes, self._read = request, max_bytes, 0
        # All uploads to an application count together: thousands of connections may be open, and disks are finite.
        self._held = request.scope["app"].state if "app" in request.scope else State()
        announced = request.headers.get("content-length", "0")
        if not (announced.isascii() and announced.isdecimal()):
            raise ServingError("INVALID_ARGUMENT", "the length of the body is no number")
        self._check(int(announced[:20]))

    async def __call__(self) -> Message:
        message = await self._request.receive()
        self._grow(len(message.get("body", b"")))
        self._check(self._read)
        return message

    def release(self) -> None:
        """The body is gone."""
        self._grow(-self._read)

    def _grow(self, num_bytes: int) -> None:
        self._read += num_bytes
        self._held.upload_bytes = getattr(self._held, "upload_bytes", 0) + num_bytes

    def _check(self, num_bytes: int) -> None:
        if num_bytes > self._max_bytes:
            raise BodyTooLargeError(self._max_bytes - _FORM_BYTES)
        if getattr(self._held, "upload_bytes", 0) > max(_BYTES_TOGETHER, self._max_bytes):
            raise ServingError("UNAVAILABLE", "too much is being uploaded already; try again later", retry_after=5.0)
