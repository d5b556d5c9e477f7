"""What the instance measures of itself."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.answers import PREFIX, json_answer, takes, told
from app.api.parameters import SINCE, UNTIL, given
from app.context import Context
from app.errors import UNAVAILABLE, USAGE
from app.quality import measured
from app.schemas import QUALITY_EXAMPLE, Quality
from catalog.filters import parse_filter
from catalog.storage import versions

_PARAMETERS = (SINCE, UNTIL)
_REMEMBERED = 8  # answers; with three million items one takes more than a second


def router(context: Context) -> APIRouter:
    """`/api/v1/quality`."""
    routes = APIRouter(prefix=PREFIX, tags=["sources"])
    known: dict[Hashable, dict[str, Any]] = {}

    @routes.get(
        "/quality",
        operation_id="getQuality",
        summary="Measured tagging, merges, completeness and delay",
        responses=told(Quality, QUALITY_EXAMPLE, USAGE, UNAVAILABLE),
        openapi_extra=takes(_PARAMETERS),
    )
    def get_quality(request: Request) -> Response:
        """Measured on this instance when asked: the same figures as `skillfeed quality` prints.

        Tagging is that of labelled papers which ship with the program. Merges count all that is held; completeness and delay
        what was announced from `since` to `until`, by default in the 28 days that end today.
        """
        chosen = parse_filter(given(request, [p.name for p in _PARAMETERS]), context.taxonomy, ())
        with context.storage.read() as db:
            version = versions.current(db, "items", "ledger")
        key = version, chosen.since, chosen.until, context.clock.now().date()
        answer = known.get(key)  # as long as nothing is written it stays the same
        if answer is None:
            answer = measured(context, chosen.since, chosen.until)
            if len(known) >= _REMEMBERED:
                known.clear()
            known[key] = answer
        return json_answer(answer)

    return routes
