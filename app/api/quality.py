"""What the instance measures of itself."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.answers import PREFIX, json_answer, takes, told
from app.api.parameters import SINCE, UNTIL, given
from app.context import Context
from app.errors import UNAVAILABLE, USAGE
from app.quality import measured
from app.schemas import QUALITY_EXAMPLE, Quality
from catalog.filters import parse_filter

_PARAMETERS = (SINCE, UNTIL)


def router(context: Context) -> APIRouter:
    """`/api/v1/quality`."""
    routes = APIRouter(prefix=PREFIX, tags=["sources"])

    @routes.get(
        "/quality",
        operation_id="getQuality",
        summary="Measured merges, completeness and delay",
        responses=told(Quality, QUALITY_EXAMPLE, USAGE, UNAVAILABLE),
        openapi_extra=takes(_PARAMETERS),
    )
    def get_quality(request: Request) -> Response:
        """Measured on this instance when asked: the same figures as `skillfeed quality` prints.

        Merges count all that is held; completeness and delay what was announced from `since` to `until`, by default in the 28
        days that end today.
        """
        chosen = parse_filter(given(request, [p.name for p in _PARAMETERS]), context.taxonomy, ())
        answer: dict[str, Any] = measured(context, chosen.since, chosen.until)
        return json_answer(answer)

    return routes
