"""Numbers from outside, kept by the identifier of what they are about: upvotes, comments, points, stars, citations."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select, tuple_

from catalog.items import Signal
from catalog.storage import schema as s
from catalog.storage.entries import chunks


def put(db: Connection, said: Iterable[Signal]) -> int:
    """Keep what was said last; a number that is kept already is not written. Returns how many were new or changed."""
    wanted = {(i.scheme, i.value, i.source, i.name): i for i in said}
    known: dict[tuple[str, str, str, str], float] = {}
    c = s.signals.c
    for part in chunks(sorted(wanted)):
        here = tuple_(c.scheme, c.value, c.source, c.name).in_(part)
        known.update({(r.scheme, r.value, r.source, r.name): r.number for r in db.execute(select(s.signals).where(here))})
    changed = [i for key, i in sorted(wanted.items()) if known.get(key) != i.number]
    old = [
        {"b_scheme": i.scheme, "b_value": i.value, "b_source": i.source, "b_name": i.name, "number": i.number, "at": i.at}
        for i in changed
        if (i.scheme, i.value, i.source, i.name) in known
    ]
    new = [
        {"scheme": i.scheme, "value": i.value, "source": i.source, "name": i.name, "number": i.number, "at": i.at}
        for i in changed
        if (i.scheme, i.value, i.source, i.name) not in known
    ]
    if old:
        same = s.signals.update().where(c.scheme == bindparam("b_scheme"), c.value == bindparam("b_value"))
        same = same.where(c.source == bindparam("b_source"), c.name == bindparam("b_name"))
        db.execute(same.values(number=bindparam("number"), at=bindparam("at")), old)
    if new:
        db.execute(s.signals.insert(), new)
    return len(changed)


def of_items(db: Connection, item_ids: Iterable[int]) -> dict[int, tuple[Signal, ...]]:
    """The signals of items by row id, in the order of source and name; items without any are absent."""
    found: dict[int, set[Signal]] = {}
    named, c = s.identifiers.c, s.signals.c
    query = select(named.item_id, s.signals).join(s.signals, (c.scheme == named.scheme) & (c.value == named.value))
    for part in chunks(sorted(set(item_ids))):
        for item_id, *row in db.execute(query.where(named.item_id.in_(part))):
            found.setdefault(item_id, set()).add(Signal(*row))
    return {i: tuple(sorted(said, key=lambda x: (x.source, x.name, x.scheme, x.value))) for i, said in found.items()}
