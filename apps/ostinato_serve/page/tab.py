"""What the tabs of the page share: their models, their limits, and how their answers are made."""

from __future__ import annotations

import abc
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from ostinato.commands.extras import extra_that_has
from ostinato.errors import UserError
from ostinato.serving.errors import ServingError
from ostinato.serving.rest_body import discard
from ostinato_serve.config import PageConfig
from ostinato_serve.page.applications import Applications
from ostinato_serve.page.rendering import problem
from ostinato_serve.page.security import HEADERS, is_from_the_page
from ostinato_serve.page.uploads import text_field
from ostinato_serve.page.work import Work

Endpoint = Callable[[Request], Awaitable[Response]]

_DISCARD_SECONDS = 2.0


@dataclass(frozen=True)
class Tools:
    """What every tab works with."""

    applications: Applications
    work: Work
    limits: PageConfig


class Tab(abc.ABC):
    """One application on the page.

    Attributes:
      key: names the tab in addresses and templates: `KEY.html` is its panel.
      title: what is written on it.
      application: whose models it asks.
      missing: a sentence for when none is served.
    """

    key: str
    title: str
    application: str
    missing: str

    def __init__(self, tools: Tools) -> None:
        self.applications, self.work, self.limits = tools.applications, tools.work, tools.limits

    def models(self) -> list[str]:
        """Names of the models that it can ask now."""
        return self.applications.names(self.application)

    @abc.abstractmethod
    def values(self) -> dict[str, Any]:
        """What the template of its panel is filled with, where there is a model."""

    @abc.abstractmethod
    def routes(self) -> list[BaseRoute]:
        """Its addresses, under `/page`."""

    def chosen_model(self, form: FormData) -> str:
        """The model that a form names, the first one where it names none.

        Raises:
          ServingError: NOT_FOUND, it is no model of the tab, or there is none.
        """
        models, name = self.models(), text_field(form, "model")
        if not models:
            raise ServingError("NOT_FOUND", self.missing)
        if name and name not in models:
            raise ServingError("NOT_FOUND", "this model is not served any more; load the page again")
        return name or models[0]


def answering(endpoint: Endpoint) -> Endpoint:
    """Makes of an endpoint one that answers mistakes in a sentence, for requests of the page itself only."""

    @functools.wraps(endpoint)
    async def answer(request: Request) -> Response:
        if request.method == "POST" and not is_from_the_page(request):
            response: Response = problem("only the page of this server may ask for that; open it in a browser", 403)
        else:
            response = await _answer(endpoint, request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answer


async def _answer(endpoint: Endpoint, request: Request) -> Response:
    try:
        return await endpoint(request)
    except ServingError as error:
        headers = {} if error.retry_after is None else {"Retry-After": f"{error.retry_after:.0f}"}
        if error.http_status == 413:
            # To answer while the browser is still sending would look to it as if the server had failed.
            await discard(request, _DISCARD_SECONDS)
            headers["Connection"] = "close"
        return problem(sentence(error), error.http_status, headers)
    except UserError as error:
        return problem(sentence(error), 422)
    except ModuleNotFoundError as error:
        extra = extra_that_has(error.name)
        if extra is None:
            raise
        needed = f"The server needs {error.name} for that; install it there with: pip install 'ostinato[{extra}]'."
        return problem(needed, 501)
    except ClientDisconnect:
        return Response(status_code=499)


def sentence(error: UserError) -> str:
    """An error as a sentence for people; names of files keep their letters."""
    text = " ".join(str(error).split())
    if text.partition(" ")[0].isalpha():
        text = text[:1].upper() + text[1:]
    return text + ("" if text.endswith((".", "!", "?")) else ".")
