"""Skill areas and topics, with how many items each has."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.api.answers import PREFIX, json_answer, page_answer, takes, told
from app.api.parameters import SINCE, UNTIL, given
from app.context import Context
from app.errors import NOT_FOUND, UNAVAILABLE, USAGE, NotFound
from app.schemas import AREA_EXAMPLE, TOPIC_EXAMPLE, Areas, TopicInfo, Topics
from catalog.errors import UnknownName
from catalog.filters import parse_filter
from catalog.storage import items
from catalog.taxonomy import Area, Taxonomy, Topic

_PARAMETERS = (SINCE, UNTIL)


def router(context: Context) -> APIRouter:
    """`/api/v1/areas`, `/api/v1/topics` and `/api/v1/topics/{slug}`."""
    routes = APIRouter(prefix=PREFIX, tags=["taxonomy"])
    taxonomy = context.taxonomy

    def dates(request: Request) -> tuple[date | None, date | None]:
        chosen = parse_filter(given(request, [p.name for p in _PARAMETERS]), taxonomy, ())
        return chosen.since, chosen.until

    def counts(scheme: str, since: date | None, until: date | None) -> dict[str, int]:
        with context.storage.read() as db:
            return items.counts(db, scheme, since, until)

    @routes.get(
        "/areas",
        operation_id="listAreas",
        summary="The ten skill areas",
        responses=told(Areas, {"items": [AREA_EXAMPLE], "next": None}, USAGE, UNAVAILABLE),
        openapi_extra=takes(_PARAMETERS),
    )
    def list_areas(request: Request) -> Response:
        """All areas in their order, with the items announced between `since` and `until`."""
        number = counts("area", *dates(request))
        return page_answer([_area(taxonomy, area, number.get(area.slug, 0)) for area in taxonomy.areas])

    @routes.get(
        "/topics",
        operation_id="listTopics",
        summary="The topics",
        responses=told(Topics, {"items": [TOPIC_EXAMPLE], "next": None}, USAGE, UNAVAILABLE),
        openapi_extra=takes(_PARAMETERS),
    )
    def list_topics(request: Request) -> Response:
        """All topics in the order of their areas, with the items announced between `since` and `until`."""
        number = counts("topic", *dates(request))
        return page_answer([_topic(topic, number.get(topic.slug, 0)) for topic in taxonomy.topics])

    @routes.get(
        "/topics/{slug}",
        operation_id="getTopic",
        summary="One topic",
        responses=told(TopicInfo, TOPIC_EXAMPLE, NOT_FOUND, USAGE, UNAVAILABLE),
        openapi_extra=takes(_PARAMETERS),
    )
    def get_topic(
        request: Request, slug: Annotated[str, Path(description="Slug of a topic.", examples=[TOPIC_EXAMPLE["slug"]])]
    ) -> Response:
        """One topic, with the items announced between `since` and `until`."""
        try:
            topic = taxonomy.topic(slug)
        except UnknownName as error:
            raise NotFound(str(error)) from error
        return json_answer(_topic(topic, counts("topic", *dates(request)).get(topic.slug, 0)))

    return routes


def _topic(topic: Topic, count: int) -> dict[str, Any]:
    return {"slug": topic.slug, "name": topic.name, "area": topic.area, "description": topic.description, "count": count}


def _area(taxonomy: Taxonomy, area: Area, count: int) -> dict[str, Any]:
    return {
        "slug": area.slug,
        "number": area.number,
        "name": area.name,
        "description": area.description,
        "topics": [topic.slug for topic in taxonomy.topics_of(area.slug)],
        "count": count,
    }
