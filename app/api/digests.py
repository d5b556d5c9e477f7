"""Digests as they would be published now."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.api.answers import PREFIX, json_answer, takes, told
from app.api.parameters import Parameter, filter_parameters, given, known_sources, only
from app.context import Context
from app.errors import UNAVAILABLE, USAGE
from app.schemas import DIGEST_EXAMPLE, Digest
from catalog.errors import UnknownName
from catalog.filters import parse_filter
from catalog.periods import default_period, parse_period

_FORMATS = ("json",)
_OWN = (
    Parameter(
        "period",
        "ISO week, day or month of announced dates; by default the last complete week until Wednesday, then the running one.",
        "2026-W05",
        {"type": "string"},
    ),
    Parameter("format", "Form of the answer.", "json", {"type": "string", "enum": list(_FORMATS), "default": "json"}),
)


def router(context: Context) -> APIRouter:
    """`/api/v1/digests/preview`."""
    routes = APIRouter(prefix=f"{PREFIX}/digests", tags=["digests"])
    parameters = (*filter_parameters(context.taxonomy), *_OWN)
    names = [p.name for p in parameters]
    own = {p.name for p in _OWN}

    @routes.get(
        "/preview",
        operation_id="previewDigest",
        summary="A digest as it would be published now",
        responses=told(Digest, DIGEST_EXAMPLE, USAGE, UNAVAILABLE),
        openapi_extra=takes(parameters),
    )
    def preview_digest(request: Request) -> Response:
        """The selection for a filter and a period, in sections with caps. Nothing is stored or sent."""
        from app import digests, render  # the renderer loads templates

        found = given(request, names)
        form = only(found, "format") or "json"
        if form not in _FORMATS:
            raise UnknownName("format", form, _FORMATS)
        today = context.clock.now().date()
        name = only(found, "period")
        period = parse_period(name) if name else default_period(today)
        asked = {n: v for n, v in found.items() if n not in own}
        filter = parse_filter(asked, context.taxonomy, known_sources(context.storage, found))
        digest = digests.preview(context.storage, context.taxonomy, filter, period, today)
        return json_answer(render.as_json(digest, context.settings.base_url))

    return routes
