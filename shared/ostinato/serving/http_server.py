"""The HTTP server under the REST interface: uvicorn, with limits for clients that stall."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_MAX_CONNECTIONS = 1024


class StallGuard(H11Protocol):
    """Closes connections that do not come to the end of a request's head; uvicorn would wait for ever."""

    head_seconds = 10.0

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._expect_head()
        else:
            self._cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.head_seconds, self.transport.close)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def http_server(app: ASGIApp, host: str, port: int, drain_seconds: float) -> uvicorn.Server:
    """A server to be `run()`, which ends on SIGTERM or SIGINT when the requests that were begun are answered.

    Args:
      app: the application.
      host: name or address to bind to.
      port: 0 for a free one.
      drain_seconds: after which the requests that still run are given up.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=StallGuard,  # h11 bounds the size of a head, httptools does not
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=max(1, round(drain_seconds)),
    )
    return uvicorn.Server(config)
