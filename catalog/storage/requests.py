"""What the web asks the worker to do: a row per request, taken by one worker, taken again when that worker is gone.

A taken request is a lease on its row: owner, number and expiry by the database's clock, as in `leases`. On PostgreSQL takers
pass over the rows that others are taking (`SKIP LOCKED`); on SQLite a write transaction excludes every other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, text

from catalog.errors import LeaseLost
from catalog.storage import leases
from catalog.storage import schema as s
from catalog.storage.engine import insert


@dataclass(frozen=True, slots=True)
class Request:
    """A visit that was asked for; instants are UTC by the instance's clock."""

    id: int
    source: str
    asked: datetime
    owner: str  # "" while it waits
    fence: int
    finished: datetime | None
    run: int | None  # the visit that answered it
    outcome: str  # of that visit; "" while it is open
    error: str

    @property
    def state(self) -> str:
        """waiting, taken or done."""
        if self.finished is not None:
            return "done"
        return "taken" if self.owner else "waiting"


_COLUMNS = "id, source, asked, owner, fence, finished, run, outcome, error"
_FIELDS = [c for c in s.requests.c if c.name != "expires_at"]


def ask(db: Connection, source: str, now: datetime) -> Request:
    """Ask for a visit. A request that waits for the source already is the answer; one that is being served is not."""
    values = {
        "source": source, "asked": now, "owner": "", "fence": 0, "expires_at": 0.0, "outcome": "", "error": "",
    }  # fmt: skip
    waiting = select(*_FIELDS).where(s.requests.c.source == source, s.requests.c.owner == "")
    while True:
        found = db.execute(waiting).first()
        if found is not None:
            return _request(found)
        # Another may ask, or take what was asked, between the two statements.
        db.execute(insert(db, s.requests).values(**values).on_conflict_do_nothing())


def is_any_open(db: Connection) -> bool:
    """True when a request waits or is being served."""
    return db.execute(select(s.requests.c.id).where(s.requests.c.finished.is_(None)).limit(1)).first() is not None


def take(db: Connection, owner: str, ttl: float) -> Request | None:
    """Take the oldest request that nobody serves, for `ttl` seconds of the database's clock; None when there is none.

    One request of a source is served at a time. Call it in a write transaction of its own.
    """
    now = leases.now_sql(db)
    served = db.execute(text("SELECT DISTINCT owner FROM requests WHERE finished IS NULL AND owner <> ''")).scalars()
    dead = [name for name in served if leases.is_dead(name)] or ["\n"]
    skip = "" if db.dialect.name == "sqlite" else " FOR UPDATE SKIP LOCKED"
    statement = text(
        f"UPDATE requests SET owner = :owner, fence = fence + 1, expires_at = {now} + :ttl WHERE id = ("
        f"SELECT r.id FROM requests r WHERE r.finished IS NULL "
        f"AND (r.owner = '' OR r.expires_at <= {now} OR r.owner IN :dead) "
        "AND NOT EXISTS (SELECT 1 FROM requests o WHERE o.source = r.source AND o.finished IS NULL AND o.id <> r.id "
        f"AND o.owner <> '' AND o.expires_at > {now} AND o.owner NOT IN :dead) "
        f"ORDER BY r.id LIMIT 1{skip}) RETURNING {_COLUMNS}"
    ).bindparams(bindparam("dead", expanding=True))
    row = db.execute(statement.columns(*_FIELDS), {"owner": owner, "ttl": ttl, "dead": dead}).first()
    return _request(row) if row else None


def renew(db: Connection, owner: str, ttl: float) -> int:
    """Keep what the owner has taken for another `ttl` seconds; returns how many."""
    done = db.execute(
        text(f"UPDATE requests SET expires_at = {leases.now_sql(db)} + :ttl WHERE owner = :owner AND finished IS NULL"),
        {"ttl": ttl, "owner": owner},
    )
    return done.rowcount


def give_back(db: Connection, request: Request) -> None:
    """Let another worker take it at once; does nothing when that has happened already."""
    db.execute(_ours(s.requests.update(), request).values(expires_at=0.0))


def finish(db: Connection, request: Request, now: datetime, run: int | None, outcome: str, error: str) -> None:
    """Note how it was answered; raises LeaseLost when another worker has taken it in the meantime."""
    values = {"finished": now, "run": run, "outcome": outcome, "error": error}
    if db.execute(_ours(s.requests.update(), request).values(**values)).rowcount != 1:
        raise LeaseLost(f"request {request.id} was taken over by another worker; nothing was written")


def latest(db: Connection) -> dict[str, Request]:
    """The newest request of each source that has one."""
    newest = select(func.max(s.requests.c.id)).group_by(s.requests.c.source)
    rows = db.execute(select(*_FIELDS).where(s.requests.c.id.in_(newest)))
    return {row.source: _request(row) for row in rows}


def _ours(statement: Any, request: Request) -> Any:
    r = s.requests.c
    return statement.where(r.id == request.id, r.owner == request.owner, r.fence == request.fence, r.finished.is_(None))


def _request(row: Row[Any]) -> Request:
    return Request(**row._mapping)
