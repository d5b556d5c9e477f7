"""The outbox: a row for each mail, made in the transaction of the decision to send it, known by reader, kind and reference.

    queued ──▶ sending ──▶ sent
      ▲           ├──▶ deferred (not before `next_at`) ──▶ sending …
      │           ├──▶ failed: refused for good, or given up
      └───────────┘    suppressed: no mail goes to the address;  skipped: too late to be sent

One process sends at a time: the holder of the lease `deliver`. What it takes bears the lease's owner and number. A row in
`sending` that bears others was in the hands of a process that is gone, and is sent again with the same Message-ID. What a stale
holder marks changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, or_, select, text

from catalog.storage import Mark
from catalog.storage import schema as s
from catalog.storage.engine import insert
from catalog.storage.leases import Lease
from catalog.subscriptions import Choices, MailFormat

Kind = Literal["confirm", "digest"]
OPEN = ("queued", "sending", "deferred")


@dataclass(frozen=True, slots=True)
class Letter:
    """What is mailed of one filter and period, before the reader's own links are put in."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the hands of the holder of a lease."""

    id: int
    subscription: int
    kind: Kind
    letter: int | None
    message_id: str
    attempts: int
    made: datetime
    address: str
    hash: str  # of the address
    salt: str  # of the reader's token
    question: str  # salt of the token that confirms, "" for a digest
    format: MailFormat
    known: bool  # the reader has confirmed before


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail as the reader's own data tells it."""

    kind: str
    reference: str
    state: str
    made: datetime
    settled: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits, and since when."""

    waiting: int
    oldest: datetime | None


# ------------------------------------------------------------------ letters
def letter_id(db: Connection, key: str, period: str) -> int | None:
    """The letter of a filter and a period, when it is written."""
    c = s.letters.c
    found: int | None = db.execute(select(c.id).where(c.key == key, c.period == period)).scalar_one_or_none()
    return found


def put_letter(db: Connection, key: str, period: str, letter: Letter, now: datetime) -> int:
    """Keep a letter; the one that is there already stays."""
    values = {"subject": letter.subject, "text": letter.text, "html": letter.html}
    db.execute(
        insert(db, s.letters)
        .values(key=key, period=period, made=now, **values)
        .on_conflict_do_nothing(index_elements=["key", "period"])
    )
    found = letter_id(db, key, period)
    assert found is not None
    return found


def letter(db: Connection, id: int) -> Letter:
    """The letter of this number."""
    c = s.letters.c
    row = db.execute(select(c.subject, c.text, c.html).where(c.id == id)).one()
    return Letter(row.subject, row.text, row.html)


# ------------------------------------------------------------------ putting in
def put(db: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Put mails in, and return how many; those that are known by subscription, kind and reference are left as they are.

    Each has subscription_id, kind, reference, message_id, letter_id, next_at, state and reason.
    """
    if not rows:
        return 0
    fixed = {"attempts": 0, "owner": "", "fence": 0, "made": now}
    statement = insert(db, s.outbox).on_conflict_do_nothing(index_elements=["subscription_id", "kind", "reference"])
    given = [{**fixed, "settled": None if r["state"] in OPEN else now, **r} for r in rows]
    return len(db.execute(statement.returning(s.outbox.c.id), given).all())


# ------------------------------------------------------------------ sending
def is_any_due(db: Connection, now: datetime) -> bool:
    """True when a mail waits whose time has come, or one was in the hands of somebody who may be gone."""
    c = s.outbox.c
    when = and_(c.state.in_(OPEN), or_(c.next_at <= now, c.state == "sending"))
    return db.execute(select(c.id).where(when).limit(1)).first() is not None


def take(db: Connection, lease: Lease, now: datetime, limit: int) -> list[Mail]:
    """Take up to `limit` mails whose time has come, confirmations first; also what a former holder had in hand."""
    c = s.outbox.c
    foreign = and_(c.state == "sending", or_(c.owner != lease.owner, c.fence != lease.fence))
    ripe = and_(c.state.in_(("queued", "deferred")), c.next_at <= now)
    # `state IN` once more, word by word, so that SQLite takes the index of what is open.
    chosen = (
        select(c.id).where(text("state IN ('queued', 'sending', 'deferred')"), or_(foreign, ripe))
        .order_by(c.kind, c.next_at, c.id).limit(limit)
    )  # fmt: skip
    ids = list(db.execute(chosen).scalars())
    if not ids:
        return []
    db.execute(s.outbox.update().where(c.id.in_(ids)).values(state="sending", owner=lease.owner, fence=lease.fence, reason=""))
    q, r, a = s.confirmations, s.subscriptions, s.addresses
    rows = db.execute(
        select(
            c.id, c.subscription_id, c.kind, c.letter_id, c.message_id, c.attempts, c.made, a.c.address, r.c.hash, r.c.salt,
            func.coalesce(q.c.salt, "").label("question"), r.c.choices, r.c.confirmed,
        )
        .join(r, r.c.id == c.subscription_id).join(a, a.c.subscription_id == c.subscription_id)
        .outerjoin(q, and_(q.c.hash == c.reference, c.kind == "confirm"))
        .where(c.id.in_(ids)).order_by(c.kind, c.next_at, c.id)
    )  # fmt: skip
    return [
        Mail(
            x.id, x.subscription_id, x.kind, x.letter_id, x.message_id, x.attempts, x.made, x.address, x.hash, x.salt,
            x.question, Choices.from_json(x.choices).format, x.confirmed is not None,
        )
        for x in rows
    ]  # fmt: skip


def mark_sent(mark: Mark, lease: Lease, id: int, now: datetime) -> bool:
    """Note that the relay has taken it; False when it is not ours any more."""
    return mark(_SENT, (now, id, lease.owner, lease.fence)) > 0


def settle(db: Connection, lease: Lease, id: int, state: str, now: datetime, reason: str) -> None:
    """End it as failed or suppressed."""
    _ours(db, lease, [id], state=state, settled=now, owner="", reason=reason)


def defer(db: Connection, lease: Lease, id: int, next_at: datetime, reason: str) -> None:
    """Try again later."""
    c = s.outbox.c
    _ours(db, lease, [id], state="deferred", next_at=next_at, owner="", reason=reason, attempts=c.attempts + 1)


def put_back(db: Connection, lease: Lease, id: int, now: datetime) -> None:
    """Let it wait again, behind those that have waited longer: whatever is the matter with it, it holds up nobody."""
    _ours(db, lease, [id], state="queued", next_at=now, owner="")


def give_back(db: Connection, lease: Lease, ids: Sequence[int]) -> None:
    """Let it wait again as if it had never been taken."""
    _ours(db, lease, ids, state="queued", owner="")


def suppress(db: Connection, subscription: int, now: datetime, reason: str) -> None:
    """Nothing that waits for this reader is sent."""
    c = s.outbox.c
    where = (c.subscription_id == subscription, c.state.in_(OPEN))
    db.execute(s.outbox.update().where(*where).values(state="suppressed", settled=now, owner="", reason=reason))


# ------------------------------------------------------------------ looking
def of_reader(db: Connection, subscription: int) -> list[Delivery]:
    """The mails of a reader, oldest first."""
    c = s.outbox.c
    columns = (c.kind, c.reference, c.state, c.made, c.settled, c.reason)
    rows = db.execute(select(*columns).where(c.subscription_id == subscription).order_by(c.id))
    return [Delivery(**r._mapping) for r in rows]


def told_of(db: Connection, subscription: int, periods: Iterable[str]) -> set[str]:
    """Those of the periods of which the reader has a delivery, whatever became of it."""
    c = s.outbox.c
    where = (c.subscription_id == subscription, c.kind == "digest", c.reference.in_(list(periods)))
    return set(db.execute(select(c.reference).where(*where)).scalars())


def depth(db: Connection) -> Depth:
    """What waits."""
    c = s.outbox.c
    count, oldest = db.execute(select(func.count(), func.min(c.made)).where(c.state.in_(OPEN))).one()
    return Depth(count, oldest)


def states(db: Connection) -> dict[str, int]:
    """How many mails are in which state."""
    c = s.outbox.c
    return {r[0]: r[1] for r in db.execute(select(c.state, func.count()).group_by(c.state))}


_SENT = "UPDATE outbox SET state = 'sent', settled = ?, owner = '', reason = '' WHERE id = ? AND owner = ? AND fence = ?"


def _ours(db: Connection, lease: Lease, ids: Sequence[int], **values: Any) -> None:
    c = s.outbox.c
    where = (c.id.in_(ids), c.owner == lease.owner, c.fence == lease.fence, c.state == "sending")
    db.execute(s.outbox.update().where(*where).values(**values))
