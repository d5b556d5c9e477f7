"""Sources and the ledger of visits to them."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.api.answers import PREFIX, page_answer, takes, told
from app.api.parameters import CURSOR, LIMIT, SOURCE, given, known_sources, next_link, only
from app.context import Context
from app.errors import UNAVAILABLE, USAGE
from app.schemas import RUN_EXAMPLE, SOURCE_EXAMPLE, Runs, Sources
from app.shapes import run, source
from catalog.errors import UnknownName
from catalog.filters import LIMIT_DEFAULT, make_cursor, parse_listing
from catalog.storage import sources

_RUNS = (SOURCE, LIMIT, CURSOR)


def router(context: Context) -> APIRouter:
    """`/api/v1/sources` and `/api/v1/runs`."""
    routes = APIRouter(prefix=PREFIX, tags=["sources"])

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
            states = sources.states(db)
        return page_answer([source(state) for state in states])

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
            visits = sources.runs(db, name, limit + 1, asked.after)
        shown = [run(visit) for visit in visits[:limit]]
        if len(visits) <= limit:
            return page_answer(shown)
        cursor = make_cursor(visits[limit - 1].id)
        pairs = [("source", name)] if name else []
        pairs += [("limit", str(limit))] if limit != LIMIT_DEFAULT else []
        link = next_link(context.settings.base_url, f"{PREFIX}/runs", urlencode([*pairs, ("cursor", cursor)]))
        return page_answer(shown, cursor, link)

    return routes
