"""Who may ask: those who know the token, and pages that were not lured here under another name."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ostinato.serving.rest_answers import error_body

_OPEN = {"/healthz", "/readyz"}  # say nothing of the models


class TokenRequired:
    """Refuses requests without `Authorization: Bearer TOKEN` (401)."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app, self.token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope.get("path") in _OPEN or self._knows_token(scope):
            await self.app(scope, receive, send)
            return
        body = error_body("give the token of this server: Authorization: Bearer TOKEN")
        headers = {"WWW-Authenticate": "Bearer"}
        await Response(body, 401, headers, media_type="application/json")(scope, receive, send)

    def _knows_token(self, scope: Scope) -> bool:
        scheme, _, token = _header(scope, b"authorization").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self.token)


class HostRequired:
    """Refuses requests for other host names than a local server's (403).

    A page of the web can make a name of its own lead to this machine, and its visitors' browsers then let it read what
    the server answers (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app, self.hosts = app, set(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _host_name(_header(scope, b"host").decode("latin-1"))
        if scope["type"] == "lifespan" or not name or name in self.hosts or is_loopback(name):
            await self.app(scope, receive, send)
            return
        body = error_body("this server answers for its own machine only: ask localhost")
        await Response(body, 403, media_type="application/json")(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Whether an address or name is that of the machine for itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope.get("headers", ()) if key == name), b"")


def _host_name(host: str) -> str:
    """Without its port, and an IPv6 address without its brackets."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
