"""Lists as API, command line and pages show them: the items of a listing with everything that its fields ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from app import shapes
from catalog.filters import Key, Listing, scored_topics
from catalog.items import Item
from catalog.storage import items as store
from catalog.tagging.explain import explained
from catalog.taxonomy import Taxonomy

_AT_A_TIME = 500


def page(db: Any, listing: Listing, taxonomy: Taxonomy) -> tuple[list[dict[str, Any]], Key | None]:
    """A page of cards, and the key to go on after."""
    found, after = store.page(db, replace(listing, fields=shapes.needs(listing.fields)))
    return cards(db, listing, taxonomy, found), after


def stream(db: Any, listing: Listing, taxonomy: Taxonomy) -> Iterator[tuple[Item, dict[str, Any]]]:
    """Items and their cards, all of them or the listing's limit."""
    some: list[Item] = []
    for item in store.stream(db, replace(listing, fields=shapes.needs(listing.fields))):
        some.append(item)
        if len(some) == _AT_A_TIME:
            yield from zip(some, cards(db, listing, taxonomy, some), strict=True)
            some = []
    yield from zip(some, cards(db, listing, taxonomy, some), strict=True)


def cards(db: Any, listing: Listing, taxonomy: Taxonomy, found: Sequence[Item]) -> list[dict[str, Any]]:
    """The cards of items that are filled with what `shapes.needs` names."""
    if "evidence" in listing.fields:
        found = explained(found, taxonomy)
    shown = [shapes.card(item, listing.fields) for item in found]
    if "rank" in listing.fields and found:
        asked, newest = scored_topics(listing.filter, taxonomy), store.newest_day(db) or found[0].announced
        for item, card in zip(found, shown, strict=True):
            card["rank"] = shapes.rank(item, asked, newest)
    return shown
