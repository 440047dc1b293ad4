"""The addresses of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import python_multipart  # noqa: F401  # reads forms for Starlette, which misses it only when the first one comes
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ostinato.serving.model_server import ModelServer
from ostinato_serve.config import PageConfig
from ostinato_serve.page import samples
from ostinato_serve.page.applications import Applications
from ostinato_serve.page.caption_tab import CaptionTab
from ostinato_serve.page.gesture_tab import GestureTab
from ostinato_serve.page.rendering import page
from ostinato_serve.page.security import SigningIn
from ostinato_serve.page.tab import Tab, Tools, answering
from ostinato_serve.page.translate_tab import TranslateTab
from ostinato_serve.page.video_tab import VideoTab
from ostinato_serve.page.work import Work

_STATIC = Path(__file__).with_name("static")


class _Static(StaticFiles):
    """Files that a browser asks about again before it uses its copy, which may be of another version."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers.update({"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"})
        return response


def page_routes(server: ModelServer, limits: PageConfig) -> list[BaseRoute]:
    """What `rest_application` takes in: the page at `/`, and all that it asks for under `/page/`.

    Args:
      server: whose models are asked.
      limits: of what may be uploaded.
    """
    work = Work()
    tools = Tools(Applications(server), work, limits)
    tabs: list[Tab] = [CaptionTab(tools), TranslateTab(tools), VideoTab(tools), GestureTab(tools)]

    async def show(request: Request) -> Response:
        return await work.run(_index, tabs)

    return [
        Route("/", answering(show), methods=["GET"]),
        Mount(
            "/page",
            routes=[
                Mount("/static", app=_Static(directory=_STATIC)),
                Route("/samples/photos/{name}", answering(_photo), methods=["GET"]),
                *(route for tab in tabs for route in tab.routes()),
            ],
        ),
    ]


def signing_in(application: ASGIApp, token: str) -> ASGIApp:
    """The application with a form in which a browser gives the token once."""
    return SigningIn(application, token)


def _index(tabs: list[Tab]) -> Response:
    panels = []
    for tab in tabs:
        models = tab.models()
        panels.append(
            {
                "key": tab.key,
                "title": tab.title,
                "models": models,
                "missing": tab.missing,
                "values": tab.values() if models else {},
            }
        )
    return page("index.html", panels=panels)


async def _photo(request: Request) -> Response:
    sample = samples.photos().get(request.path_params["name"])
    if sample is None:
        return Response(status_code=404)
    return Response(samples.thumbnail(sample.path), 200, {"Cache-Control": "max-age=3600"}, "image/jpeg")
