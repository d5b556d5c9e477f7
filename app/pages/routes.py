"""Addresses of the pages, and how a view becomes an answer: HTML with a validator, errors as pages of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jinja2
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.context import Context
from app.pages import calendar, views
from app.pages.views import Page
from app.templating import environment
from catalog.entries import Kind
from catalog.errors import DatabaseUnavailable, NewerDatabase, SkillfeedError, UsageError

_STATIC = Path(__file__).with_name("static")
_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_WEEK, _YEAR = 7 * 86_400, 365 * 86_400  # seconds
_HEADINGS = {
    403: "That is closed",
    404: "There is nothing here",
    422: "That cannot be asked",
    429: "Too many requests",
    500: "Something went wrong",
    503: "The database cannot be used now",
}

View = Callable[[Context, Request], Page]


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages refer to, by a name that changes with its content."""

    body: bytes
    media_type: str
    version: str


def router(context: Context) -> APIRouter:
    """All pages and their static files."""
    pages = APIRouter()
    for path, view in (
        ("/", views.home),
        ("/areas", views.areas),
        ("/areas/{slug}", views.area),
        ("/topics/{slug}", views.topic),
        ("/items/{id}", views.item),
        ("/deadlines", calendar.view_of(Kind.DEADLINE)),
        ("/competitions", calendar.view_of(Kind.COMPETITION)),
        ("/events", calendar.view_of(Kind.EVENT)),
        ("/search", views.search),
        ("/status", views.status),
        ("/about", views.about),
    ):
        pages.add_route(path, _endpoint(context, view), methods=["GET"], include_in_schema=False)
    pages.add_route("/static/{name}", _static, methods=["GET"], include_in_schema=False)
    pages.add_route("/favicon.ico", _favicon, methods=["GET"], include_in_schema=False)
    return pages


def error_page(status: int, detail: str, base_url: str = "", *, nearest: tuple[tuple[str, str], ...] = ()) -> HTMLResponse:
    """An error as a page; `detail` is one line of plain text, `nearest` are (name, path) of pages that may have been meant."""
    heading = _HEADINGS.get(status, "That did not work")
    data = {"heading": heading, "detail": detail, "status": status, "nearest": nearest, "nav": ""}
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "30"} if status == 503 else {})
    return HTMLResponse(render("error.html", base_url, data), status_code=status, headers=headers)


def _endpoint(context: Context, view: View) -> Callable[[Request], Response]:
    base_url = context.settings.base_url

    def answer(request: Request) -> Response:
        try:
            page = view(context, request)
        except views.Moved as moved:
            return Response(status_code=308, headers={"Location": f"{base_url}{moved.path}"})
        except views.Missing as error:
            return error_page(404, str(error), base_url, nearest=error.nearest)
        except UsageError as error:
            return error_page(422, str(error), base_url)
        except (DatabaseUnavailable, NewerDatabase):  # their words name hosts and files
            return error_page(503, "What is held is safe. Try again in a moment.", base_url)
        except SkillfeedError as error:
            return error_page(500, str(error), base_url)
        body = render(page.template, base_url, page.data).encode()
        # Weak: the bytes differ by content coding, which is applied further out.
        tag = f'W/"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if page.refresh:
            headers["Refresh"] = str(page.refresh)
        elif tag in (t.strip() for t in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        return HTMLResponse(body, headers=headers)

    return answer


# ------------------------------------------------------------------ static files
def _static(request: Request) -> Response:
    asset = _assets().get(request.path_params["name"])
    if asset is None:
        return error_page(404, "No such file.")
    tag = f'W/"{asset.version}"'
    lasting = request.query_params.get("v") == asset.version
    age = f"public, max-age={_YEAR}, immutable" if lasting else f"public, max-age={_WEEK}"
    headers = {"ETag": tag, "Cache-Control": age}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


def _favicon(_: Request) -> Response:
    """For clients that ask without looking at the page."""
    asset = _assets()["favicon.svg"]
    return Response(asset.body, headers={"Cache-Control": f"public, max-age={_WEEK}"}, media_type=asset.media_type)


@cache
def _assets() -> dict[str, Asset]:
    found = {}
    for path in sorted(_STATIC.iterdir()):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            found[path.name] = Asset(body, _TYPES[path.suffix], hashlib.blake2b(body, digest_size=4).hexdigest())
    return found


# ------------------------------------------------------------------ templates
def render(template: str, base_url: str, data: dict[str, Any]) -> str:
    """The page as HTML; its links stay below the path of the base address."""
    root = urlsplit(base_url).path.rstrip("/")

    def url(path: str, *pairs: tuple[str, str]) -> str:
        return f"{root}{path}" + (f"?{urlencode(pairs)}" if pairs else "")

    def static(name: str) -> str:
        return url(f"/static/{name}", ("v", _assets()[name].version))

    return _environment().get_template(template).render(url=url, static=static, **data)


@cache
def _environment() -> jinja2.Environment:
    return environment(Path(__file__).with_name("templates"))
