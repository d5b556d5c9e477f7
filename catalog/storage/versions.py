"""The data version: tokens that change with every commit that could change an answer, on either database, by any process.

There is one token for each group of tables; a row of `meta` holds it. Nobody has to think of it: every statement of a writing
connection is looked at, and what changed a row of a group gives the group a new token in the same transaction. Tokens are
drawn, not counted, so that a database that was restored or made anew never repeats one.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Literal

from sqlalchemy import Connection, Engine, event, text

Group = Literal["items", "ledger"]

#: What answers about items are made of; and what those about sources and visits are made of besides.
GROUPS: dict[Group, frozenset[str]] = {
    "items": frozenset({
        "items", "entries", "entry_versions", "links", "corrections", "overrides", "aliases", "identifiers", "moments",
        "signals", "news", "terms", "tags", "facets", "daily_counts", "search",
    }),
    "ledger": frozenset({"sources", "batches", "runs", "requests", "chores"}),
}  # fmt: skip
#: No answer that bears a version shows these.
UNSEEN = frozenset({
    "meta", "leases", "source_parts", "alembic_version", "subscriptions", "addresses", "confirmations", "signups",
    "suppressions", "letters", "outbox",
})  # fmt: skip

_GROUP_OF = {table: group for group, tables in GROUPS.items() for table in tables}
_TARGET = r'(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|COPY)\s+(?:ONLY\s+)?"?(\w+)'
_WRITES = re.compile(rf"\s*{_TARGET}", re.I)
_WRITES_WITH = re.compile(rf"\s*WITH\b.*?\b{_TARGET}", re.I | re.S)
_CHANGED = "changed groups"  # key of Connection.info
_PUT = text("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value")


def watch(engine: Engine) -> None:
    """Look at what this engine's connections write, and give new tokens when they commit."""

    @event.listens_for(engine, "after_cursor_execute")
    def _look(db: Connection, cursor: Any, statement: str, _given: Any, _context: Any, _many: bool) -> None:
        found = _WRITES.match(statement) or _WRITES_WITH.match(statement)
        if found and cursor.rowcount != 0 and found[1].lower() not in UNSEEN:
            touch(db, _GROUP_OF.get(found[1].lower(), "items"))  # a table that nobody has told of: better once too often

    @event.listens_for(engine, "commit")
    def _commit(db: Connection) -> None:
        for group in sorted(db.info.pop(_CHANGED, ())):
            db.execute(_PUT, {"key": _key(group), "value": secrets.token_urlsafe(9)})

    @event.listens_for(engine, "rollback")
    def _forget(db: Connection) -> None:
        db.info.pop(_CHANGED, None)


def touch(db: Connection, group: Group) -> None:
    """Give the group a new token when this transaction commits: for rows that are written past SQLAlchemy."""
    db.info.setdefault(_CHANGED, set()).add(group)


def current(db: Connection, *groups: Group) -> str:
    """The tokens of the groups as this transaction sees them; "" for one that was never written."""
    found = {r.key: r.value for r in db.execute(text(READ))}
    return ".".join(found.get(_key(group), "") for group in groups)


#: Key and token of every group.
READ = "SELECT key, value FROM meta WHERE key IN ('version:items', 'version:ledger')"


def _key(group: Group) -> str:
    return f"version:{group}"
