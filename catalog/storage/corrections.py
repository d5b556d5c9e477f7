"""What a person decided about entries: the same work or not, kept by source and key, so that it holds over re-ingestion."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, or_, select, tuple_

from catalog.entries import EntryKey
from catalog.storage import schema as s
from catalog.storage.entries import chunks

Pair = tuple[EntryKey, EntryKey]  # the smaller key first


def of(db: Connection, keys: Iterable[EntryKey]) -> dict[Pair, bool]:
    """Decisions about these entries and any others: True is the same work."""
    c = s.corrections.c
    if db.execute(select(c.source).limit(1)).first() is None:
        return {}
    found: dict[Pair, bool] = {}
    for part in chunks(sorted(set(keys))):
        here = or_(tuple_(c.source, c.key).in_(part), tuple_(c.other_source, c.other_key).in_(part))
        for r in db.execute(select(s.corrections).where(here)):
            found[(r.source, r.key), (r.other_source, r.other_key)] = r.same
    return dict(sorted(found.items()))


def drop(db: Connection, pairs: Iterable[Pair]) -> None:
    """Forget decisions."""
    c = s.corrections.c
    for a, b in pairs:
        here = (c.source == a[0], c.key == a[1], c.other_source == b[0], c.other_key == b[1])
        db.execute(s.corrections.delete().where(*here))


def put(db: Connection, decisions: dict[Pair, bool], now: datetime) -> None:
    """Enter decisions; a later one about the same two replaces the earlier."""
    drop(db, decisions)
    for (a, b), same in sorted(decisions.items()):
        row = {"source": a[0], "key": a[1], "other_source": b[0], "other_key": b[1], "same": same, "at": now}
        db.execute(s.corrections.insert(), row)
