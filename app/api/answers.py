"""Answers as bytes, and how answers and problems are told in OpenAPI."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from app.api.parameters import Parameter
from app.errors import METHOD, NOT_FOUND, UNAVAILABLE, USAGE, Problem, problem_body
from app.headers import coded
from app.shapes import dump
from catalog.storage import versions
from catalog.version import VERSION

PREFIX = "/api/v1"
_EXAMPLE_BASE = "http://127.0.0.1:8000"
_DETAILS = {
    USAGE.slug: "limit must be a whole number from 1 to 200, not '0'",
    NOT_FOUND.slug: "no item has this id",
    METHOD.slug: METHOD.meaning,
    UNAVAILABLE.slug: "the database cannot be used now; try again later",
}


def json_answer(value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """The value as JSON with status 200."""
    return Response(dump(value), headers=dict(headers or {}), media_type="application/json")


def page_answer(shown: list[dict[str, Any]], cursor: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """A list as every list is answered; `cursor` leads to the next page."""
    return json_answer({"items": shown, "next": cursor}, headers)


def version_tag(db: Any, base_url: str, request: Request) -> str:
    """The strong ETag of an answer that is made of this request and of the items held: the same until something is stored.

    `db` must be the transaction that the answer is read in. `headers.CodedTags` tells content codings apart.
    """
    made_of = (VERSION, base_url, versions.current(db, "items"), request.scope["path"], request.scope["query_string"])
    return f'"{hashlib.blake2b(repr(made_of).encode(), digest_size=12).hexdigest()}"'


def unchanged(request: Request, tag: str) -> Response | None:
    """304 when the request holds the answer of this tag already, in either content coding (RFC 9110, 13.1.2); else None."""
    for held in request.headers.get("if-none-match", "").split(","):
        sent = held.strip().removeprefix("W/")
        if sent == "*" or sent in (tag, coded(tag)):
            return Response(status_code=304, headers={"ETag": tag if sent == "*" else sent})
    return None


def told(model: type[BaseModel], example: Any, *problems: Problem, paged: bool = False) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: its answer with an example, and the problems it may meet."""
    answer: dict[str, Any] = {
        "model": model,
        "description": (model.__doc__ or "").strip(),
        "content": {"application/json": {"example": example}},
    }
    if paged:
        answer["headers"] = {"Link": {"description": 'Address of the next page, `rel="next"`.', "schema": {"type": "string"}}}
    out: dict[int | str, dict[str, Any]] = {200: answer}
    for problem in problems:
        detail = _DETAILS.get(problem.slug, problem.meaning)
        errors = [{"detail": detail}] if problem in (USAGE, NOT_FOUND) else []
        example = problem_body(problem, _EXAMPLE_BASE, f"{PREFIX}/items", detail, errors)
        schema = {"$ref": "#/components/schemas/Problem"}
        out[problem.status] = {
            "description": problem.meaning,
            "content": {"application/problem+json": {"schema": schema, "example": example}},
        }
    return out


def takes(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The `openapi_extra` of a route with these parameters."""
    return {"parameters": [p.described() for p in parameters]}
