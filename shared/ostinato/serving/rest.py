"""The REST interface of TensorFlow Serving over a `ModelServer`, as an ASGI application.

    POST /v1/models/NAME[/versions/N|/labels/L]:predict    rows or columns of inputs
    POST /v1/models/NAME[...]:classify, :regress           the refusals of models that do not take examples
    GET  /v1/models/NAME[/versions/N|/labels/L]            the states of its versions
    GET  /v1/models/NAME[/versions/N|/labels/L]/metadata   its signatures
    GET  /metrics, /monitoring/prometheus/metrics          for Prometheus
    GET  /healthz, /readyz                                 whether it lives, and whether all models can be asked

Reference: TensorFlow Serving, "RESTful API", and its http_rest_api_handler.cc for what that does not say.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from ostinato.serving.access import HostRequired, TokenRequired
from ostinato.serving.errors import ServingError
from ostinato.serving.examples import refuse_examples, signature_asked
from ostinato.serving.model_server import ModelServer
from ostinato.serving.rest_answers import error_body, metadata_body, prediction_body, status_body
from ostinato.serving.rest_body import BodyReader, discard
from ostinato.serving.rest_requests import read_request

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_PREDICT = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/([0-9]+)|/labels/([^/:]+))?:(classify|regress|predict)", re.IGNORECASE
)
_STATUS = re.compile(r"/v1/models(?:/([^/:]+))?(?:/versions/([0-9]+)|/labels/([^/:]+))?(?:/(metadata))?", re.IGNORECASE)
_LARGEST_VERSION = 2**63 - 1
_UNREAD = (408, 413)  # the client is still sending
_DISCARD_SECONDS = 2.0
_INLINE_BYTES = 16_384  # a body that takes no longer to read than to hand it to a thread


@dataclass(frozen=True)
class RestLimits:
    """What a client may take of the server.

    Attributes:
      max_body_mb: size of a body, in MiB.
      max_bodies_mb: size of all bodies that are being read or answered, in MiB.
      body_seconds: in which a body must have come.
    """

    max_body_mb: float = 32.0
    max_bodies_mb: float = 256.0
    body_seconds: float = 30.0


def rest_application(
    server: ModelServer,
    *,
    limits: RestLimits = RestLimits(),
    token: str = "",
    hosts: Collection[str] | None = None,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The application.

    Args:
      server: started and stopped by whoever made it.
      limits: of size and time.
      token: that clients must give; none if empty.
      hosts: names that clients may know the server by, besides those of the local machine; None for any.
      routes: of what else is served at the same port.
    """
    interface = RestInterface(server, limits)
    middleware = []
    if hosts is not None:
        middleware.append(Middleware(HostRequired, hosts=hosts))
    if token:
        middleware.append(Middleware(TokenRequired, token=token))
    return Starlette(
        routes=[*interface.routes(), *routes],
        middleware=middleware,
        exception_handlers={HTTPException: _http_error, 500: _fault},
    )


class RestInterface:
    """Answers requests; `routes` is what an application mounts."""

    def __init__(self, server: ModelServer, limits: RestLimits) -> None:
        self.server = server
        mebibyte = 2**20
        self._bodies = BodyReader(
            int(limits.max_body_mb * mebibyte), int(limits.max_bodies_mb * mebibyte), limits.body_seconds
        )
        # One thread: Python reads one document at a time anyway, and a big one may need 20 times its size.
        self._json = ThreadPoolExecutor(1, thread_name_prefix="json")

    def routes(self) -> list[BaseRoute]:
        return [
            Mount("/v1", app=self._answer),
            Mount("/V1", app=self._answer),  # paths are read whatever their case
            Route("/metrics", self._metrics),
            Route("/monitoring/prometheus/metrics", self._metrics),
            Route("/healthz", self._health),
            Route("/readyz", self._readiness),
        ]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """All of `/v1/`: one answer, one count, one line in the log."""
        request, started = Request(scope, receive), time.monotonic()
        asked = _Asked()
        try:
            response = _json_response(await self._body(request, asked))
            code = "OK"
        except ServingError as error:
            response, code = _refusal(error), error.code
        except ClientDisconnect:
            response, code = None, "CANCELLED"
        seconds = time.monotonic() - started
        known = asked.model if asked.model in self.server.repository.models else ""  # no label for each made-up name
        self.server.metrics.requests.labels(known, "rest", code).inc()
        self.server.metrics.request_seconds.labels(known, "rest").observe(seconds)
        status = "gone" if response is None else response.status_code
        _log.info("%s %s %s %.0f ms", request.method, _path(request)[:200], status, 1000 * seconds)
        if response is not None and response.status_code in _UNREAD:
            await _send_and_discard(response, request, send)
        elif response is not None:
            await response(scope, receive, send)

    async def _body(self, request: Request, asked: _Asked) -> bytes:
        path = _path(request)
        match = {"POST": _PREDICT, "GET": _STATUS}.get(request.method, _PREDICT).fullmatch(path)
        if request.method not in ("POST", "GET") or match is None:
            raise ServingError("INVALID_ARGUMENT", f"Malformed request: {request.method} {path[:200]}")
        name, version, label, method = match.groups()
        asked.model = unquote(name or "")
        if not asked.model:
            raise ServingError("INVALID_ARGUMENT", "Missing model name in request.")
        which = (asked.model, _number(version), unquote(label) if label else None)
        if request.method == "POST":
            return await self._predict(request, which, method.lower())
        if method:
            return metadata_body(self.server.metadata(*which))
        return status_body(self.server.status(*which))

    async def _predict(self, request: Request, which: tuple[str, int | None, str | None], method: str) -> bytes:
        with self.server.use(*which) as served:
            async with self._bodies.body(request) as body:
                if method != "predict":
                    name = await self._aside(len(body), signature_asked, body)
                    refuse_examples("classify" if method == "classify" else "regress", served.servable, name)
                asked = await self._aside(len(body), read_request, body, served.servable.signature)
                prediction = await _unless_gone(
                    request, self.server.predict_of(served, asked.inputs, signature=asked.signature_name)
                )
                size = sum(array.nbytes for array in prediction.outputs.values())
                return await self._aside(size, prediction_body, prediction.outputs, asked.by_rows)

    async def _aside(self, num_bytes: int, function: Callable[..., _T], *arguments: Any) -> _T:
        """Calls a function here, or where it has much to do in a thread, so that others are answered meanwhile."""
        if num_bytes <= _INLINE_BYTES:
            return function(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._json, function, *arguments)

    async def _metrics(self, request: Request) -> Response:
        return Response(self.server.metrics.page(), media_type="text/plain; version=0.0.4")

    async def _health(self, request: Request) -> Response:
        return _json_response(b'{"status": "alive"}')

    async def _readiness(self, request: Request) -> Response:
        if self.server.is_ready:
            return _json_response(b'{"status": "ready"}')
        return _refusal(ServingError("UNAVAILABLE", "not every model is loaded", retry_after=1.0))


@dataclass
class _Asked:
    """What is known of a request so far."""

    model: str = ""


async def _send_and_discard(response: Response, request: Request, send: Send) -> None:
    """Answers a client that is still sending; to close at once would take the answer from it."""
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await discard(request, _DISCARD_SECONDS)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _unless_gone(request: Request, answer: Any) -> Any:
    """Waits for an answer; takes the question back where the client goes away first."""
    asking, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait((asking, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise ClientDisconnect
        return asking.result()
    finally:
        for task in (asking, leaving):
            task.cancel()


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _path(request: Request) -> str:
    """As it was sent, with its percent signs."""
    return request.scope.get("raw_path", request.scope["path"].encode()).decode("latin-1").partition("?")[0]


def _number(version: str | None) -> int | None:
    if version is None:
        return None
    if len(version) > 30 or int(version) > _LARGEST_VERSION:
        raise ServingError("INVALID_ARGUMENT", f"Failed to convert version: {version[:30]} to numeric.")
    return int(version)


def _json_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")


def _refusal(error: ServingError) -> Response:
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if error.http_status in _UNREAD:
        headers["Connection"] = "close"
    return _json_response(error_body(error.message), error.http_status, headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _json_response(error_body(error.detail), error.status_code, dict(error.headers or {}))


async def _fault(request: Request, error: Exception) -> Response:
    return _json_response(error_body("the server failed on this request"), 500)
