"""Errors over HTTP: one table from error to status, one form for all of them (RFC 9457, application/problem+json).

Only a browser that asks for a page which is not there gets a page instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages import error_page
from app.shapes import dump
from app.subscribing import NoSuchLink, NotOpen, TooMany
from catalog.errors import CatalogError, DatabaseUnavailable, NewerDatabase, SkillfeedError, UnknownName, UsageError

MEDIA_TYPE = "application/problem+json"
_PATH_SHOWN = 200  # characters of a path in `instance`
_log = structlog.get_logger("app.errors")


class NotFound(SkillfeedError):
    """There is nothing under this address or identifier."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem as clients can tell it apart: `slug` ends its type address."""

    slug: str
    title: str
    status: int
    meaning: str


#: Problems with a type of their own; every other status is told by its HTTP phrase.
USAGE = Problem("usage", "The request is not of the promised form", 422, "A parameter is unknown or its value is not allowed.")
NOT_FOUND = Problem("not-found", "Nothing found", 404, "No such route, item, topic or identifier.")
UNAUTHORIZED = Problem("unauthorized", "Not allowed", 401, "Acts need `Authorization: Bearer` with the instance's admin token.")
METHOD = Problem("method", "Method not allowed", 405, "The route exists; the methods it answers stand in `Allow`.")
NOT_OPEN = Problem("not-open", "No new readers", 403, "`SKILLFEED_SIGNUP` is closed: the operator adds readers.")
TOO_MANY = Problem("too-many", "Too many requests", 429, "Asked too often; `Retry-After` says when to try again.")
TOO_LARGE = Problem("too-large", "Request body too large", 413, "Bodies are read up to 64 KiB.")
UNAVAILABLE = Problem("unavailable", "Database unavailable", 503, "The database cannot be used now; a later try may help.")
INTERNAL = Problem("internal", "Internal error", 500, "A bug. It is in the instance's log.")
PROBLEMS = (USAGE, UNAUTHORIZED, NOT_OPEN, NOT_FOUND, METHOD, TOO_LARGE, TOO_MANY, UNAVAILABLE, INTERNAL)

#: The table: the first line that fits an error counts.
_TABLE: tuple[tuple[type[Exception], Problem], ...] = (
    (NotFound, NOT_FOUND),
    (NoSuchLink, NOT_FOUND),
    (NotOpen, NOT_OPEN),
    (TooMany, TOO_MANY),
    (UsageError, USAGE),
    (DatabaseUnavailable, UNAVAILABLE),
    (NewerDatabase, UNAVAILABLE),
    (CatalogError, INTERNAL),
)
_BY_STATUS = {p.status: p for p in PROBLEMS if p is not NOT_OPEN}


def problem_of(error: Exception) -> Problem:
    """The problem that an error is told as; `INTERNAL` for those that nobody expected."""
    return next((problem for kind, problem in _TABLE if isinstance(error, kind)), INTERNAL)


def problem_body(problem: Problem, base_url: str, path: str, detail: str, errors: list[dict[str, Any]]) -> dict[str, Any]:
    """The members of RFC 9457, `errors` with one object per thing that is off."""
    return {
        "type": type_address(base_url, problem),
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": quote(path[:_PATH_SHOWN].encode("utf-8", "replace"), safe="/"),
        "errors": errors,
    }


def type_address(base_url: str, problem: Problem) -> str:
    """Where the problem is explained; `about:blank` for those that are just their HTTP status (RFC 9457, 4.2.1)."""
    return f"{base_url}/api/docs#problem-{problem.slug}" if problem.slug else "about:blank"


def problem_response(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """The answer with this problem. Marks of HTML are escaped: a body that repeats what was sent stays harmless anywhere."""
    text = dump(body).replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")
    return Response(
        text, status_code=body["status"], headers={"Cache-Control": "no-store", **(headers or {})}, media_type=MEDIA_TYPE
    )


def answer(error: Exception, base_url: str, scope: Scope) -> Response:
    """The answer to an error of any kind; what is told of an unexpected one is only that it happened."""
    path = scope["path"]  # `request.url` is made with the Host header, and fails on a malformed one
    headers: dict[str, str] = {}
    errors: list[dict[str, Any]] = []
    if isinstance(error, HTTPException):
        problem, detail = _of_status(error.status_code)
        headers = dict(error.headers or {})
        if "Allow" in headers:
            headers["Allow"] = _with_head(headers["Allow"])
    elif isinstance(error, RequestValidationError):
        problem, detail = USAGE, "a value has not the promised form"
        errors = [
            {"detail": str(e["msg"])[:200], "parameter": ".".join(str(p) for p in e["loc"][1:])[:80]} for e in error.errors()
        ]
    else:
        problem = problem_of(error)
        if problem is UNAVAILABLE:  # the message names hosts and files
            detail, headers = "the database cannot be used now; try again later", {"Retry-After": "30"}
        elif problem is INTERNAL:
            detail = "something went wrong here; the instance's log has the cause"
        else:
            detail = str(error)
            errors = [_told(error)]
            headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
    if problem.status >= 500:
        _log.error(
            "request failed",
            path=path[:_PATH_SHOWN],
            status=problem.status,
            cause=repr(error),
            exc_info=problem is INTERNAL and error,
        )
    if _reads_pages(scope):
        shown = error_page(problem.status, detail, base_url)
        shown.headers.update(headers)
        return shown
    return problem_response(problem_body(problem, base_url, path, detail, errors), headers)


def install(app: FastAPI, base_url: str) -> None:
    """Answer every error that a route raises, and every address without a route, with a problem."""

    async def handle(request: Request, error: Exception) -> Response:
        return answer(error, base_url, request.scope)

    for kind in (HTTPException, RequestValidationError, SkillfeedError):
        app.add_exception_handler(kind, handle)


class Unexpected:
    """ASGI middleware: an exception that nobody handled becomes an answer, like any other to the middleware around it."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self.app, self.base_url = app, base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises only what comes after the answer has begun."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if begun:
                raise
            await answer(error, self.base_url, scope)(scope, receive, send)


def _of_status(status: int) -> tuple[Problem, str]:
    known = _BY_STATUS.get(status)
    if known is not None:
        return known, known.meaning
    phrase = HTTPStatus(status).phrase
    return Problem("", phrase, status, phrase), phrase


def _reads_pages(scope: Scope) -> bool:
    """True for a browser on its way to a page; programs, and everything under /api, get the problem."""
    if scope["path"].startswith("/api/"):
        return False
    return any("text/html" in value for value in Headers(scope=scope).getlist("accept"))


def _with_head(allow: str) -> str:
    """GET routes answer HEAD as well."""
    methods = {m.strip() for m in allow.split(",")}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _told(error: Exception) -> dict[str, Any]:
    unknown = error if isinstance(error, UnknownName) else error.__cause__
    if isinstance(unknown, UnknownName):
        return {"detail": str(error), "what": unknown.what, "nearest": list(unknown.nearest)}
    return {"detail": str(error)}
