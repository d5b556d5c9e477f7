"""What lies ahead: items of a dated kind, those whose next date comes soonest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, and_, func, or_, select

from catalog.dates import AHEAD, LASTING
from catalog.entries import Kind
from catalog.filters import Filter, Key, Listing
from catalog.items import Item
from catalog.storage import items, selection
from catalog.storage import schema as s
from catalog.storage.driver import driver

_MOST = 100_000  # items of a dated kind that a filter may find; there are some thousands


def soonest(
    db: Connection, kind: Kind, listing: Listing, now: datetime, until: datetime | None = None
) -> tuple[list[Item], Key | None]:
    """A page of the kind's items with a date ahead that counts (`catalog.dates.AHEAD`), and the key to go on after.

    Filter, limit and fields are those of the listing; its `after` is a key that this function gave: seconds since 1970 and
    position. `until` leaves out what comes later. Withdrawn items are left out.
    """
    found = _due(db, kind, listing.filter, now, until)
    later = [key for key in found if listing.after is None or key > tuple(listing.after)]
    limit = len(later) if listing.limit is None else listing.limit
    chosen = later[:limit]
    by_position = {i.position: i for i in _items(db, [p for _, p in chosen], listing.fields)}
    return [by_position[p] for _, p in chosen], chosen[-1] if len(later) > len(chosen) and chosen else None


def count_ahead(db: Connection, kind: Kind, filter: Filter, now: datetime) -> int:
    """How many items of the kind have a date ahead."""
    return len(_due(db, kind, filter, now, None))


def _due(db: Connection, kind: Kind, filter: Filter, now: datetime, until: datetime | None) -> list[tuple[int, int]]:
    """Second of the next date and position of each item, ascending."""
    on = driver(db)
    wanted = selection.select(on, replace(filter, kinds=(kind,)))
    if wanted is None:
        return []
    positions = set(selection.positions(on, wanted, _MOST))
    m, i = s.moments.c, s.items.c
    ahead = or_(m.at > now, and_(m.whole_day.is_(True), m.at > now - LASTING))
    due = func.min(m.at).label("due")
    query = select(due, i.position).select_from(s.moments.join(s.items, i.id == m.item_id))
    query = query.where(m.what.in_(AHEAD[kind]), ahead, i.kind == kind.value, i.withdrawn.is_(False)).group_by(i.position)
    rows = [(r.due.astimezone(UTC), r.position) for r in db.execute(query) if r.position in positions]
    return sorted((int(at.timestamp()), position) for at, position in rows if until is None or at <= until)


def _items(db: Connection, positions: Sequence[int], fields: Sequence[str]) -> list[Item]:
    found = selection.at(driver(db), positions, items.ITEM)
    return items.fill(db, [items.item_of(row) for row in found], fields)
