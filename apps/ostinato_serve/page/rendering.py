"""Answers as HTML."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image
from starlette.responses import HTMLResponse

_TEMPLATES = Path(__file__).with_name("templates")


def page(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any) -> HTMLResponse:
    """A template, filled in; everything that is put into it is escaped."""
    return HTMLResponse(_environment().get_template(template).render(values), status, headers)


def problem(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """What is wrong, in the place of a result."""
    return page("problem.html", status, headers, sentence=sentence)


def picture_url(picture: Image.Image, kind: str = "PNG") -> str:
    """A picture that travels within the page, so that nothing is left on the server."""
    content = io.BytesIO()
    picture.save(content, kind, quality=85)
    return data_url(content.getvalue(), f"image/{kind.lower()}")


def data_url(content: bytes, media_type: str) -> str:
    """Any content that travels within the page."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
