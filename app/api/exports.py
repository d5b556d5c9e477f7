"""Items in the forms that feed readers, reference managers and spreadsheets read: the name of the form stands on the path."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request, Response

from app import exports
from app.api.answers import PREFIX, takes, told, unchanged, version_tag
from app.api.parameters import given, known_sources, listing_parameters, listing_query, next_link
from app.context import Context
from app.errors import NOT_FOUND, UNAVAILABLE, USAGE, NotFound
from app.phrases import one_line
from app.schemas import Cards
from catalog.filters import Filter, Listing, parse_listing
from catalog.storage import items as store
from catalog.tagging.explain import explained_whole

_PATH = f"{PREFIX}/items"
_EXAMPLE = "id,kind,title,authors,url,venue,announced,topics,arxiv,doi,withdrawn\r\n"
_FEEDS = ("atom", "rss", "json")


def router(context: Context) -> APIRouter:
    """The one route, `/api/v1/items.{format}`."""
    routes = APIRouter(tags=["items"])
    parameters = [p for p in listing_parameters(context.taxonomy) if p.name != "fields"]
    names = [p.name for p in parameters]

    @routes.get(
        _PATH + ".{format}",
        operation_id="exportItems",
        summary="Items by filter, as a feed, a bibliography or a table",
        response_class=Response,
        responses=_told(),
        openapi_extra=takes(parameters),
    )
    def export_items(
        request: Request,
        format: Annotated[str, Path(description=f"One of {', '.join(exports.MEDIA)}.", examples=["atom"])],
    ) -> Response:
        """The list of `/api/v1/items` with the same filter, order and pages.

        Feeds: `atom`, `rss`, `json` (JSON Feed). Bibliographies: `bib` (BibTeX), `ris`. Tables: `csv`, and `jsonl` with a whole
        item on each line. `Link` leads to the next page, in Atom, RSS and JSON Feed their own words as well. `ETag` stays while
        nothing is stored, so that a reader that asks again with `If-None-Match` is answered 304.
        """
        if format not in exports.MEDIA:
            raise NotFound(f"items are given as {', '.join(exports.MEDIA)}")
        found = given(request, names)
        listing = parse_listing(found, context.taxonomy, known_sources(context.storage, found))
        base_url = context.settings.base_url
        parts = ("summary",) if format in _FEEDS else store.PARTS
        with context.storage.read() as db:
            tag = version_tag(db, base_url, request)
            if same := unchanged(request, tag):
                return same
            items, after = store.page(db, replace(listing, fields=parts))
            newest = store.newest_day(db) if format in _FEEDS and not items else None
        headers = {"ETag": tag}
        query = listing_query(listing, after) if after is not None else ""
        if query:
            headers |= next_link(base_url, f"{_PATH}.{format}", query)
        if format in _FEEDS:
            quiet = datetime.combine(newest, time(), UTC) if newest else datetime(1970, 1, 1, tzinfo=UTC)
            body = exports.feed(format, items, _about(base_url, format, listing, query, quiet))
        else:
            shown = [explained_whole(i, context.taxonomy) for i in items] if format == "jsonl" else items
            body = "".join(exports.lines(format, shown)).encode()
            headers["Content-Disposition"] = f'attachment; filename="skillfeed.{format}"'
        return Response(body, headers=headers, media_type=exports.MEDIA[format])

    return routes


def _about(base_url: str, format: str, listing: Listing, query: str, quiet: datetime) -> exports.Feed:
    own = listing.filter.parameters()
    if listing.sort != "newest":
        own.append(("sort", listing.sort))
    asked = f"?{urlencode(own)}" if own else ""
    path = f"{base_url}{_PATH}.{format}"
    return exports.Feed(
        title=_title(listing.filter),
        home=f"{base_url}/search?{urlencode(listing.filter.parameters())}" if own else f"{base_url}/",
        address=path + asked,
        updated=quiet,
        base_url=base_url,
        next=f"{path}?{query}" if query else "",
    )


def _title(filter: Filter) -> str:
    """What the feed holds: `Skillfeed: optimization, paper`."""
    asked = ", ".join(value if name in ("topic", "area", "kind", "source", "venue") else f"{name} {value}"
                      for name, value in filter.parameters())  # fmt: skip
    return one_line(f"Skillfeed: {asked}" if asked else "Skillfeed")


def _told() -> dict[int | str, dict[str, Any]]:
    answers = told(Cards, {}, NOT_FOUND, USAGE, UNAVAILABLE, paged=True)
    media: dict[str, dict[str, Any]] = {
        kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in exports.MEDIA.values()
    }
    media["text/csv"] = media["text/csv"] | {"example": _EXAMPLE}
    content = {"text/csv": media.pop("text/csv")} | media
    answers[200] = {"description": "The page in the form asked for.", "content": content, "headers": answers[200]["headers"]}
    return answers | {304: {"description": "Nothing was stored since the answer whose `ETag` was sent."}}
