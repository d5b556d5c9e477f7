"""Sources, the ledger of visits to them, and what an operator may change."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ValidationError

from app.api.admin import Admin
from app.api.answers import PREFIX, json_answer, page_answer, takes, told
from app.api.parameters import CURSOR, LIMIT, SOURCE, given, known_sources, next_link, only
from app.context import Context
from app.errors import NOT_FOUND, UNAUTHORIZED, UNAVAILABLE, USAGE, NotFound
from app.schemas import REQUEST_EXAMPLE, RUN_EXAMPLE, SOURCE_EXAMPLE, RequestInfo, Runs, SourceChange, SourceInfo, Sources
from app.shapes import dump, request, run, source
from catalog.errors import UnknownName, UsageError
from catalog.filters import LIMIT_DEFAULT, make_cursor, parse_listing
from catalog.storage import requests, sources
from catalog.storage.sources import SourceState

_RUNS = (SOURCE, LIMIT, CURSOR)
_Slug = Annotated[str, Path(description="Slug of a source.", examples=["arxiv"])]


async def _body(asked: Request) -> bytes:
    """Read here, so that who may act is asked before what is said is judged."""
    return await asked.body()


def router(context: Context) -> APIRouter:
    """`/api/v1/sources` and `/api/v1/runs`."""
    routes = APIRouter(prefix=PREFIX, tags=["sources"])
    admin = Admin(context.settings)

    @routes.get(
        "/sources",
        operation_id="listSources",
        summary="The sources and their health",
        responses=told(Sources, {"items": [SOURCE_EXAMPLE], "next": None}, USAGE, UNAVAILABLE),
    )
    def list_sources(request: Request) -> Response:
        """All sources by name: how the last visit ended, since when one fails, when it is due."""
        given(request)
        with context.storage.read() as db:
            states, asked = sources.states(db), requests.latest(db)
        return page_answer([source(state, asked.get(state.name)) for state in states])

    @routes.get(
        "/sources/{slug}",
        operation_id="getSource",
        summary="One source and its health",
        responses=told(SourceInfo, SOURCE_EXAMPLE, USAGE, NOT_FOUND, UNAVAILABLE),
    )
    def get_source(asked: Request, slug: _Slug) -> Response:
        """The source with the newest visit that was asked for: whether it waits, runs, or how it ended."""
        given(asked)
        with context.storage.read() as db:
            return json_answer(source(_known(db, slug), requests.latest(db).get(slug)))

    @routes.post(
        "/sources/{slug}/run",
        operation_id="runSource",
        summary="Visit a source now",
        status_code=202,
        responses=_accepted(told(RequestInfo, REQUEST_EXAMPLE, USAGE, UNAUTHORIZED, NOT_FOUND, UNAVAILABLE)),
        dependencies=[admin.scheme],
    )
    def run_source(asked: Request, slug: _Slug) -> Response:
        """Asks the worker for a visit, also when none is due; it begins within seconds, after one that is under way.

        A request that waits already is the answer. `Location` leads to the source, which tells what became of the request.
        """
        admin.require(asked)
        given(asked)
        with context.storage.write() as db:
            _known(db, slug)
            made = requests.ask(db, slug, context.clock.now())
        place = f"{context.settings.base_url}{PREFIX}/sources/{quote(slug, safe='')}"
        return Response(dump(request(made)), 202, {"Location": place, "Cache-Control": "no-store"}, "application/json")

    @routes.patch(
        "/sources/{slug}",
        operation_id="changeSource",
        summary="Switch a source on or off",
        responses=told(SourceInfo, SOURCE_EXAMPLE, USAGE, UNAUTHORIZED, NOT_FOUND, UNAVAILABLE),
        openapi_extra=_takes_body(SourceChange, {"enabled": False}),
        dependencies=[admin.scheme],
    )
    def change_source(asked: Request, slug: _Slug, body: Annotated[bytes, Depends(_body)]) -> Response:
        """A source that is off is not visited; what it brought stays."""
        admin.require(asked)
        given(asked)
        try:
            change = SourceChange.model_validate_json(body)
        except ValidationError:
            raise UsageError('the body must be a JSON object such as {"enabled": false}') from None
        with context.storage.write() as db:
            _known(db, slug)
            sources.enable(db, slug, change.enabled)
            changed = _known(db, slug)
            return json_answer(source(changed, requests.latest(db).get(slug)), {"Cache-Control": "no-store"})

    @routes.get(
        "/runs",
        operation_id="listRuns",
        summary="Visits to sources, newest first",
        responses=told(Runs, {"items": [RUN_EXAMPLE], "next": None}, USAGE, UNAVAILABLE, paged=True),
        openapi_extra=takes(_RUNS),
    )
    def list_runs(request: Request) -> Response:
        """The ledger: every visit with its outcome and counts, failed ones with their cause."""
        found = given(request, [p.name for p in _RUNS])
        name = only(found, "source") or None
        known = known_sources(context.storage, found)
        if name is not None and name not in known:
            raise UnknownName("source", name, known)
        asked = parse_listing({n: v for n, v in found.items() if n != "source"}, context.taxonomy, ())
        limit = asked.limit or LIMIT_DEFAULT
        with context.storage.read() as db:
            visits = sources.runs(db, name, limit + 1, asked.after[0] if asked.after else None)
        shown = [run(visit) for visit in visits[:limit]]
        if len(visits) <= limit:
            return page_answer(shown)
        cursor = make_cursor((visits[limit - 1].id,))
        pairs = [("source", name)] if name else []
        pairs += [("limit", str(limit))] if limit != LIMIT_DEFAULT else []
        link = next_link(context.settings.base_url, f"{PREFIX}/runs", urlencode([*pairs, ("cursor", cursor)]))
        return page_answer(shown, cursor, link)

    return routes


def _known(db: Any, slug: str) -> SourceState:
    """The source; raises NotFound. Nothing with a NUL or half of a surrogate pair gets to PostgreSQL, which takes neither."""
    state = sources.state(db, slug) if slug.isprintable() else None
    if state is None:
        raise NotFound(f"no source has the slug {slug[:60]!r}")
    return state


def _accepted(responses: dict[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """The answer is given with 202: the act is still to come."""
    answer = responses.pop(200)
    link = {"description": "Where the state of the request is seen.", "schema": {"type": "string"}}
    return {202: answer | {"headers": {"Location": link}}} | responses


def _takes_body(model: type[BaseModel], example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema(), "example": example}}
    return {"requestBody": {"required": True, "content": content}}
