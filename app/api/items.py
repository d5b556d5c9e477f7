"""Items: lists by filter, one by id, one by an identifier."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app import lists
from app.api.answers import PREFIX, json_answer, page_answer, takes, told, unchanged, version_tag
from app.api.parameters import Parameter, given, known_sources, listing_parameters, listing_query, next_link
from app.context import Context
from app.errors import NOT_FOUND, UNAVAILABLE, USAGE, NotFound
from app.schemas import CARD_EXAMPLE, ITEM_EXAMPLE, Cards, Item
from app.shapes import whole
from catalog import identifiers
from catalog.errors import UsageError
from catalog.filters import make_cursor, parse_listing
from catalog.storage import items as store
from catalog.tagging.explain import explained_whole

_ID = re.compile(r"[0-9a-z]{1,32}")
MERGED: dict[int | str, dict[str, Any]] = {308: {"description": "Merged into the item that `Location` names."}}
_LONGEST = 2_000  # characters of an identifier or address that is looked up
LOOKUP = (
    Parameter(
        "arxiv",
        "arXiv identifier in any form: with version, `arXiv:`, an address, its DOI.",
        "2601.01234v2",
        {"type": "string"},
    ),
    Parameter("doi", "DOI, bare, with `doi:` or as an address.", "10.1000/example.7", {"type": "string"}),
    Parameter(
        "url", "Address; one of an arXiv paper or a DOI means that.", "https://arxiv.org/abs/2601.01234", {"type": "string"}
    ),
)


def router(context: Context) -> APIRouter:
    """The routes below `/api/v1/items`."""
    routes = APIRouter(prefix=f"{PREFIX}/items", tags=["items"])
    parameters = listing_parameters(context.taxonomy)
    names = [p.name for p in parameters]

    @routes.get(
        "",
        operation_id="listItems",
        summary="Items by filter",
        responses=told(Cards, {"items": [CARD_EXAMPLE], "next": None}, USAGE, UNAVAILABLE, paged=True),
        openapi_extra=takes(parameters),
    )
    def list_items(request: Request) -> Response:
        """Cards of the items that match every given parameter, newest announced first unless `sort` says otherwise.

        Repeated values of one parameter are OR, different parameters AND. `next` leads on; it is null on the last page.
        """
        found = given(request, names)
        listing = parse_listing(found, context.taxonomy, known_sources(context.storage, found))
        with context.storage.read() as db:
            tag = version_tag(db, context.settings.base_url, request)
            if same := unchanged(request, tag):
                return same
            cards, after = lists.page(db, listing, context.taxonomy)
        if after is None:
            return page_answer(cards, headers={"ETag": tag})
        link = next_link(context.settings.base_url, f"{PREFIX}/items", listing_query(listing, after))
        return page_answer(cards, make_cursor(after, listing.sort), link | {"ETag": tag})

    @routes.get(
        "/lookup",
        operation_id="lookupItem",
        summary="The item that an identifier leads to",
        responses=told(Item, ITEM_EXAMPLE, NOT_FOUND, USAGE, UNAVAILABLE),
        openapi_extra=takes(LOOKUP),
    )
    def look_up(request: Request) -> Response:
        """The whole item of exactly one of `arxiv`, `doi` and `url`, each in any of its usual forms."""
        found = given(request, [p.name for p in LOOKUP])
        values = [(scheme, value) for scheme, several in found.items() for value in several]
        if len(values) != 1:
            raise UsageError(f"exactly one of arxiv, doi and url is needed; {len(values)} were given")
        wanted = look_for(*values[0])
        with context.storage.read() as db:
            item = next((i for i in (store.by_identifier(db, *one) for one in wanted) if i is not None), None)
        if item is None:
            scheme, value = wanted[0]
            raise NotFound(f"no item is held for {scheme} {value[:80]}")
        return json_answer(whole(explained_whole(item, context.taxonomy)))

    @routes.get(
        "/{id}",
        operation_id="getItem",
        summary="One item",
        responses=MERGED | told(Item, ITEM_EXAMPLE, NOT_FOUND, USAGE, UNAVAILABLE),
    )
    def get_item(
        request: Request, id: Annotated[str, Path(description="Id of an item.", examples=[ITEM_EXAMPLE["id"]])]
    ) -> Response:
        """All that is told about one item."""
        given(request)
        item = None
        if _ID.fullmatch(id):
            with context.storage.read() as db:
                item = store.by_id(db, id)
                stays = store.merged_into(db, id) if item is None else None
            if stays is not None:
                return Response(status_code=308, headers={"Location": f"{context.settings.base_url}{PREFIX}/items/{stays}"})
        if item is None:
            raise NotFound("no item has this id")
        return json_answer(whole(explained_whole(item, context.taxonomy)))

    return routes


def look_for(scheme: str, value: str) -> list[tuple[str, str]]:
    """The identifiers that a look-up means, the likeliest first; raises UsageError for what is none of its scheme."""
    text = value.strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise UsageError(f"{scheme} is empty, not printable or longer than {_LONGEST} characters")
    if scheme == "arxiv":
        arxiv = identifiers.arxiv_id(text)
        if arxiv is None:
            raise UsageError("arxiv is no arXiv identifier such as 2601.01234v2 or https://arxiv.org/abs/2601.01234")
        return [("arxiv", arxiv.id)]
    if scheme == "doi":
        name = identifiers.doi(text)
        if name is None:
            raise UsageError("doi is no DOI such as 10.1000/example.7 or https://doi.org/10.1000/example.7")
        return _named(name)
    address = identifiers.canonical_url(text)
    if address is None:
        raise UsageError("url is no http or https address such as https://arxiv.org/abs/2601.01234")
    return [*_named(text), ("url", address)]


def _named(text: str) -> list[tuple[str, str]]:
    """What an address or DOI names; a DOI also as such."""
    found = [identifiers.identifier_of(text)]
    if name := identifiers.doi(text):
        found.append(("doi", name))
    return list(dict.fromkeys(i for i in found if i))
