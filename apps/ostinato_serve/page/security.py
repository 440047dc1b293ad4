"""Who may ask the page, and what a browser may do with it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ostinato_serve.page.rendering import page
from ostinato_serve.page.uploads import form_of, text_field

# Nothing is fetched from elsewhere, no page may put this one into a frame, and the camera is for this one alone.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
SIGN_IN = "/page/sign-in"
_COOKIE = "ostinato_page"
_OPEN = "/page/static/"  # the looks of the form
_MAX_SESSIONS = 1000
_TOKEN_BYTES, _TOKEN_SECONDS = 4096, 10.0


def is_from_the_page(request: Request) -> bool:
    """Whether a request was made by the page's own scripts.

    Another page can make a browser send forms here, but not with a header of its own, for which the browser would ask
    this server first; and browsers say where a request comes from.
    """
    return request.headers.get("hx-request") == "true" and request.headers.get("sec-fetch-site", "same-origin") in (
        "same-origin",
        "none",
    )


class SigningIn:
    """Lets a browser, which cannot send `Authorization: Bearer TOKEN`, give the token once in a form.

    It then has a cookie, random and not the token itself, for which the header is put into requests for the page; never
    into those of the REST interface.

    Args:
      app: asks for the token.
      token: of the server.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app, self._token = app, token
        self._sessions: dict[str, None] = {}  # in the order in which they began

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == "/" or path.startswith("/page/")):
            await self.app(scope, receive, send)
        elif path == SIGN_IN:
            response = await self._sign_in(Request(scope, receive))
            response.headers.update(HEADERS)
            await response(scope, receive, send)
        elif path.startswith(_OPEN) or self._is_known(scope):
            await self.app(self._with_token(scope), receive, send)
        elif path == "/":
            await RedirectResponse(SIGN_IN.removeprefix("/"), 303)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return page("sign_in.html", wrong=False)
        if request.method != "POST" or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Response(status_code=405)
        async with form_of(request, _TOKEN_BYTES, _TOKEN_SECONDS) as form:
            given = text_field(form, "token").strip()
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return page("sign_in.html", 403, wrong=True)
        session = secrets.token_urlsafe(32)
        self._sessions[session] = None
        if len(self._sessions) > _MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        response = RedirectResponse("../", 303)
        response.set_cookie(
            _COOKIE, session, httponly=True, samesite="strict", secure=request.url.scheme == "https", path="/"
        )
        return response

    def _is_known(self, scope: Scope) -> bool:
        cookie: SimpleCookie = SimpleCookie()
        try:
            cookie.load(Request(scope).headers.get("cookie", ""))
        except CookieError:
            return False
        return _COOKIE in cookie and cookie[_COOKIE].value in self._sessions

    def _with_token(self, scope: MutableMapping[str, Any]) -> Scope:
        headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
        return {**scope, "headers": [*headers, (b"authorization", b"Bearer " + self._token.encode())]}
