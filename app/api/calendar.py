"""What lies ahead: deadlines, competitions and events, soonest first."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from app.api.answers import PREFIX, page_answer, takes, told
from app.api.parameters import Given, Parameter, given, known_sources, listing_parameters, next_link, only
from app.context import Context
from app.errors import UNAVAILABLE, USAGE
from app.schemas import DATED_EXAMPLE, DatedCards
from app.shapes import DATED, dated, needs
from catalog.entries import Kind
from catalog.errors import UsageError
from catalog.filters import Filter, make_cursor, parse_listing, read_cursor
from catalog.storage import calendar
from catalog.tagging.explain import explained

_DAYS_MOST = 3_650
WITHIN = Parameter(
    "within",
    "Only what closes or begins within so many days.",
    14,
    {"type": "integer", "minimum": 1, "maximum": _DAYS_MOST},
)
#: Path, kind, operation, summary.
ROUTES = (
    ("/deadlines", Kind.DEADLINE, "listDeadlines", "Deadlines of conferences, soonest first"),
    ("/competitions", Kind.COMPETITION, "listCompetitions", "Open competitions, those that close soonest first"),
    ("/events", Kind.EVENT, "listEvents", "Meetups, webinars and schools ahead, soonest first"),
)


def router(context: Context) -> APIRouter:
    """The three lists."""
    routes = APIRouter(prefix=PREFIX, tags=["calendar"])
    taken = [p for p in listing_parameters(context.taxonomy) if p.name not in ("kind", "sort")]
    responses = told(DatedCards, {"items": [DATED_EXAMPLE], "next": None}, USAGE, UNAVAILABLE, paged=True)
    for path, kind, operation, summary in ROUTES:
        routes.add_api_route(
            path,
            _answering(context, path, kind, [WITHIN, *taken]),
            methods=["GET"],
            operation_id=operation,
            summary=summary,
            responses=responses,
            openapi_extra=takes([WITHIN, *taken]),
        )
    return routes


def _answering(context: Context, path: str, kind: Kind, taken: list[Parameter]) -> Callable[[Request], Response]:
    names = [p.name for p in taken]

    def list_ahead(request: Request) -> Response:
        """Items of the kind with a date ahead that match every given parameter, the soonest first.

        `next` of an item is the date by which it is listed; what is over is not. Sources that tell a date otherwise are named.
        """
        found = given(request, names)
        days = _days(only(found, "within"))
        cursor = only(found, "cursor")
        own = {n: v for n, v in found.items() if n not in ("within", "cursor")}
        listing = parse_listing(own, context.taxonomy, known_sources(context.storage, found))
        listing = replace(listing, after=read_cursor(cursor, "soonest") if cursor else None)
        now = context.clock.now()
        wanted = replace(listing, fields=needs((*listing.fields, *DATED)))
        with context.storage.read() as db:
            items, after = calendar.soonest(db, kind, wanted, now, now + timedelta(days=days) if days else None)
        if "evidence" in listing.fields:
            items = explained(items, context.taxonomy)
        cards = [dated(item, listing.fields, now) for item in items]
        if after is None:
            return page_answer(cards)
        more = make_cursor(after, "soonest")
        link = next_link(context.settings.base_url, f"{PREFIX}{path}", _query(listing.filter, found, more))
        return page_answer(cards, more, link)

    return list_ahead


def _query(filter: Filter, found: Given, cursor: str) -> str:
    kept = [(name, ",".join(found[name])) for name in ("within", "limit", "fields") if name in found]
    return urlencode([*filter.parameters(), *kept, ("cursor", cursor)])


def _days(text: str) -> int:
    """0 for no text; raises UsageError."""
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= _DAYS_MOST:
        raise UsageError(f"within must be a whole number of days from 1 to {_DAYS_MOST}")
    return int(text)
