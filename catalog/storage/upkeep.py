"""What the instance does for itself: chores with a due row, and the thinning of what would grow for ever.

The rule, by the instance's clock and in UTC days:

- runs: all of 35 days; then the last of each source and day up to 400 days, and all that did not end well up to 90 days
- requests that were answered: 30 days
- mails that came to their end, and letters that no mail has any more: 400 days
- batches that are confirmed: 400 days; those with a gap stay, so that the gap stays named

Rows that go leave room in the file that the next ones take: an SQLite file stops growing, it does not shrink.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, select, text

from catalog.outcomes import Outcome
from catalog.storage import schema as s
from catalog.storage.engine import add_missing

RUNS_ALL = timedelta(days=35)  # as long as `catalog.yields` looks back
RUNS_FAILED = timedelta(days=90)
RUNS_DAILY = timedelta(days=400)
REQUESTS = timedelta(days=30)
BATCHES = timedelta(days=400)
MAILS = timedelta(days=400)
_GOOD = tuple(o.value for o in Outcome if o.good)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that the worker does for the instance; instants are UTC by the instance's clock."""

    name: str
    next_due: datetime
    last_done: datetime | None
    failures: int  # in a row
    error: str  # of the last try, "" when it was done


# ------------------------------------------------------------------ chores
def register(db: Connection, names: Sequence[str], now: datetime) -> None:
    """Make rows for chores that have none: due at once."""
    add_missing(db, s.chores, [{"name": name, "next_due": now, "failures": 0, "error": ""} for name in names])


def chores(db: Connection) -> dict[str, Chore]:
    """All chores by name."""
    return {row.name: Chore(**row._mapping) for row in db.execute(select(s.chores))}


def hasten(db: Connection, name: str, now: datetime) -> None:
    """Let a chore be due now, if it is not already."""
    table = s.chores
    db.execute(table.update().where(table.c.name == name, table.c.next_due > now).values(next_due=now))


def settle(db: Connection, name: str, now: datetime, next_due: datetime, error: str = "") -> None:
    """Note the end of a chore: done, or what was wrong with it, and when it is due again."""
    table = s.chores
    values: dict[str, Any] = {"next_due": next_due, "error": error}
    values |= {"failures": table.c.failures + 1} if error else {"failures": 0, "last_done": now}
    db.execute(table.update().where(table.c.name == name).values(**values))


# ------------------------------------------------------------------ thinning
def thin(db: Connection, now: datetime, limit: int) -> int:
    """Remove up to `limit` rows that the rule lets go; returns how many went, fewer than `limit` when nothing is left to go."""
    gone = 0
    for remove in _RULES:
        gone += remove(db, now, limit - gone)
        if gone >= limit:
            break
    return gone


def _old_runs(db: Connection, now: datetime, limit: int) -> int:
    statement = text("DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE started < :until ORDER BY id LIMIT :limit)")
    return db.execute(statement, {"until": _instant(db, _midnight(now) - RUNS_DAILY), "limit": limit}).rowcount


def _repeated_runs(db: Connection, now: datetime, limit: int) -> int:
    day = "substr(started, 1, 10)" if db.dialect.name == "sqlite" else "(started AT TIME ZONE 'UTC')::date"
    good = ", ".join(f"'{name}'" for name in _GOOD)
    statement = text(
        "DELETE FROM runs WHERE id IN (SELECT id FROM (SELECT id, started, outcome, "
        f"row_number() OVER (PARTITION BY source, {day} ORDER BY id DESC) AS place FROM runs WHERE started < :until) ranked "
        f"WHERE place > 1 AND (outcome IN ({good}) OR started < :failed) ORDER BY id LIMIT :limit)"
    )
    days = {"until": _midnight(now) - RUNS_ALL, "failed": _midnight(now) - RUNS_FAILED}
    return db.execute(statement, {name: _instant(db, at) for name, at in days.items()} | {"limit": limit}).rowcount


def _old_requests(db: Connection, now: datetime, limit: int) -> int:
    table = s.requests
    old = select(table.c.id).where(table.c.finished < now - REQUESTS).order_by(table.c.id).limit(limit)
    return db.execute(table.delete().where(table.c.id.in_(old))).rowcount


def _old_batches(db: Connection, now: datetime, limit: int) -> int:
    statement = text(
        "DELETE FROM batches WHERE (source, part, day) IN (SELECT source, part, day FROM batches "
        "WHERE day < :until AND missing = '[]' AND note = '' LIMIT :limit)"
    )
    until = (now - BATCHES).date()
    return db.execute(
        statement, {"until": until.isoformat() if db.dialect.name == "sqlite" else until, "limit": limit}
    ).rowcount


def _old_mails(db: Connection, now: datetime, limit: int) -> int:
    table = s.outbox
    old = select(table.c.id).where(table.c.settled < now - MAILS).order_by(table.c.id).limit(limit)
    return db.execute(table.delete().where(table.c.id.in_(old))).rowcount


def _old_letters(db: Connection, now: datetime, limit: int) -> int:
    table = s.letters
    used = select(s.outbox.c.id).where(s.outbox.c.letter_id == table.c.id).exists()
    old = select(table.c.id).where(table.c.made < now - MAILS, ~used).order_by(table.c.id).limit(limit)
    return db.execute(table.delete().where(table.c.id.in_(old))).rowcount


_RULES: tuple[Callable[[Connection, datetime, int], int], ...] = (
    _old_runs, _repeated_runs, _old_requests, _old_batches, _old_mails, _old_letters,
)  # fmt: skip


def _midnight(now: datetime) -> datetime:
    """Whole days go, so that the last run of a day is known."""
    return datetime.combine(now.astimezone(UTC).date(), time(), UTC)


def _instant(db: Connection, at: datetime) -> Any:
    return s.UtcDateTime().process_bind_param(at, db.dialect)
