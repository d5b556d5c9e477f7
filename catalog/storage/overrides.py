"""What a person decided about topics, by source and key of the entry that speaks first, so that it holds over everything."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select, tuple_

from catalog.entries import EntryKey
from catalog.items import Override
from catalog.storage import schema as s
from catalog.storage.entries import chunks


def of(db: Connection, keys: Iterable[EntryKey]) -> dict[EntryKey, tuple[Override, ...]]:
    """Decisions by entry, oldest first; entries without any are not in it."""
    c = s.overrides.c
    if db.execute(select(c.source).limit(1)).first() is None:  # nearly always
        return {}
    found: dict[EntryKey, list[Override]] = {}
    for part in chunks(sorted(set(keys))):
        for r in db.execute(select(s.overrides).where(tuple_(c.source, c.key).in_(part))):
            found.setdefault((r.source, r.key), []).append(Override(r.at, r.topic, r.given))
    return {key: tuple(sorted(several)) for key, several in found.items()}


def drop(db: Connection, keys: Iterable[EntryKey], topics: Iterable[str]) -> None:
    """Forget what was decided about these topics for these entries."""
    c = s.overrides.c
    named = sorted(set(topics))
    for source, key in keys:
        db.execute(s.overrides.delete().where(c.source == source, c.key == key, c.topic.in_(named)))


def put(db: Connection, key: EntryKey, decided: Iterable[Override]) -> None:
    """Enter decisions, at most one about a topic; a later one about the same topic replaces the earlier."""
    decided = list(decided)
    drop(db, [key], [d.topic for d in decided])
    for d in decided:
        row = {"source": key[0], "key": key[1], "topic": d.topic, "given": d.given, "at": d.at}
        db.execute(s.overrides.insert(), row)


def topics(db: Connection) -> dict[str, int]:
    """How many decisions there are about each topic, by the slug they were made with."""
    c = s.overrides.c
    found: dict[str, int] = {}
    for (topic,) in db.execute(select(c.topic)):
        found[topic] = found.get(topic, 0) + 1
    return dict(sorted(found.items()))
