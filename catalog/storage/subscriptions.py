"""Readers: their choices, their addresses, the questions they were asked, and addresses that no mail goes to.

Addresses stand in one table, whose rows are put and removed and never changed. Call what puts or removes them (`add`, `forget`,
`forget_unconfirmed`) in a transaction of `Storage.writing(…, private=True)`, which overwrites what it frees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, func, or_, select, text
from sqlalchemy.sql import Select

from catalog.storage import schema as s
from catalog.storage.engine import insert
from catalog.subscriptions import Choices

UNCONFIRMED = timedelta(days=7)  # then a subscription that nobody confirmed is forgotten
SIGNUPS = timedelta(days=2)  # then a request to subscribe is forgotten; the longest limit is of a day
AHEAD = timedelta(hours=1)  # a due instant that was reckoned so far in the future was reckoned by a clock that ran ahead
Reason = Literal["bounced", "erased", "left"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A reader; instants are UTC by the instance's clock."""

    id: int
    hash: str  # of the address
    salt: str  # of the reader's token
    made: datetime
    confirmed: datetime | None
    consent: str
    paused: bool
    choices: Choices
    changed: datetime
    next_due: datetime | None
    address: str = ""  # only where it was asked for

    @property
    def state(self) -> str:
        """unconfirmed, paused or active."""
        return "unconfirmed" if self.confirmed is None else "paused" if self.paused else "active"


@dataclass(frozen=True, slots=True)
class Recent:
    """Requests to subscribe of late, for their limits."""

    client: int  # from this network in the last hour
    everyone: int  # in the last hour
    day: int  # questions sent to this address in the last day
    last: datetime | None  # the last of them


# ------------------------------------------------------------------ asking
def by_hash(db: Connection, hash: str, *, address: bool = False) -> Subscription | None:
    """The subscription of the address with this keyed hash."""
    return _one(db, (_whole() if address else _plain()).where(s.subscriptions.c.hash == hash))


def by_id(db: Connection, id: int) -> Subscription | None:
    """The subscription of this number."""
    return _one(db, _plain().where(s.subscriptions.c.id == id))


def by_token(db: Connection, token: str, *, address: bool = False) -> Subscription | None:
    """The subscription whose reader's token has this SHA-256."""
    return _one(db, (_whole() if address else _plain()).where(s.subscriptions.c.token == token))


def everyone(db: Connection) -> list[Subscription]:
    """All of them with their addresses, in the order in which they came."""
    return [_subscription(r) for r in db.execute(_whole().order_by(s.subscriptions.c.id))]


def due(db: Connection, now: datetime, limit: int) -> list[Subscription]:
    """What is due, the longest waiting first; also what a clock that ran ahead has put off."""
    c = s.subscriptions.c
    when = or_(c.next_due <= now, and_(c.next_due.is_not(None), c.reckoned > now + AHEAD))
    return [_subscription(r) for r in db.execute(_plain().where(when).order_by(c.next_due, c.id).limit(limit))]


# ------------------------------------------------------------------ changing
def add(db: Connection, hash: str, address: str, salt: str, token: str, choices: Choices, now: datetime) -> Subscription:
    """A reader who has not confirmed yet."""
    values = {
        "hash": hash, "salt": salt, "token": token, "made": now, "consent": "", "paused": False, "choices": choices.as_json(),
        "changed": now,
    }  # fmt: skip
    number = db.execute(s.subscriptions.insert().values(**values).returning(s.subscriptions.c.id)).scalar_one()
    db.execute(s.addresses.insert().values(subscription_id=number, address=address))
    return Subscription(number, hash, salt, now, None, "", False, choices, now, None, address)


def change(db: Connection, id: int, now: datetime, *, choices: Choices, paused: bool, next_due: datetime | None) -> None:
    """Put choices in force; `next_due` is None for what is paused."""
    _update(db, id, choices=choices.as_json(), changed=now, paused=paused, next_due=next_due, reckoned=now)


def confirm(db: Connection, id: int, now: datetime, consent: str) -> None:
    """Note the yes and to what; it stays the first one's."""
    c = s.subscriptions.c
    db.execute(s.subscriptions.update().where(c.id == id, c.confirmed.is_(None)).values(confirmed=now, consent=consent))


def stop(db: Connection, id: int) -> None:
    """Nothing more is due: mail to the reader comes back."""
    _update(db, id, paused=True, next_due=None)


def advance(db: Connection, steps: Iterable[tuple[int, datetime, datetime]], now: datetime) -> None:
    """Say when each is due next: (id, due as it was read, due next). What has changed in the meantime stays as it is."""
    c = s.subscriptions.c
    for id, seen, following in steps:
        db.execute(s.subscriptions.update().where(c.id == id, c.next_due == seen).values(next_due=following, reckoned=now))


def forget(db: Connection, ids: Sequence[int]) -> list[str]:
    """Remove readers with everything about them; returns the Message-IDs of their mails, which name files."""
    told: list[str] = []
    for id in ids:
        told += db.execute(select(s.outbox.c.message_id).where(s.outbox.c.subscription_id == id)).scalars()
        for table in (s.outbox, s.confirmations, s.addresses):
            db.execute(table.delete().where(table.c.subscription_id == id))
        db.execute(s.subscriptions.delete().where(s.subscriptions.c.id == id))
    return told


def forget_unconfirmed(db: Connection, now: datetime, limit: int) -> list[str]:
    """Remove those who did not confirm within seven days, up to `limit`, and what is kept for limits; their Message-IDs."""
    c = s.subscriptions.c
    old = select(c.id).where(c.confirmed.is_(None), c.made < now - UNCONFIRMED).order_by(c.id).limit(limit)
    told = forget(db, list(db.execute(old).scalars()))
    db.execute(s.signups.delete().where(s.signups.c.at < now - SIGNUPS))
    db.execute(s.confirmations.delete().where(s.confirmations.c.expires < now - UNCONFIRMED))
    return told


# ------------------------------------------------------------------ questions
def ask(db: Connection, hash: str, subscription: int, salt: str, choices: Choices, expires: datetime) -> None:
    """Keep a question that the token with this SHA-256 answers."""
    db.execute(
        s.confirmations.insert().values(
            hash=hash, subscription_id=subscription, salt=salt, choices=choices.as_json(), expires=expires
        )
    )


def question(db: Connection, hash: str, now: datetime) -> tuple[int, Choices] | None:
    """Subscription and choices of a question that can still be answered."""
    c = s.confirmations.c
    row = db.execute(select(c.subscription_id, c.choices).where(c.hash == hash, c.expires > now)).first()
    return (row.subscription_id, Choices.from_json(row.choices)) if row else None


def answer(db: Connection, hash: str, now: datetime) -> tuple[int, Choices] | None:
    """Take a question away and all others of its reader; None when it was answered already or too late."""
    c = s.confirmations.c
    taken = db.execute(
        s.confirmations.delete().where(c.hash == hash, c.expires > now).returning(c.subscription_id, c.choices)
    ).first()
    if taken is None:
        return None
    db.execute(s.confirmations.delete().where(c.subscription_id == taken.subscription_id))
    return taken.subscription_id, Choices.from_json(taken.choices)


# ------------------------------------------------------------------ limits
def recent(db: Connection, address: str, client: str, now: datetime) -> Recent:
    """Requests of late, of this address and this network (keyed hashes).

    Until this transaction ends no other is counted, so that a limit holds whoever asks at once.
    """
    if db.dialect.name == "postgresql":  # SQLite has one writer anyway
        db.execute(text("LOCK TABLE signups IN SHARE ROW EXCLUSIVE MODE"))
    c = s.signups.c
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)
    of_client = db.execute(select(func.count()).where(c.client == client, c.at > hour)).scalar_one()
    everyone = db.execute(select(func.count()).where(c.at > hour, c.sent)).scalar_one()
    sent, last = db.execute(select(func.count(), func.max(c.at)).where(c.address == address, c.at > day, c.sent)).one()
    return Recent(of_client, everyone, sent, last)


def note(db: Connection, address: str, client: str, now: datetime, *, sent: bool) -> None:
    """Note a request to subscribe."""
    db.execute(s.signups.insert().values(at=now, address=address, client=client, sent=sent))


# ------------------------------------------------------------------ suppression
def suppressed(db: Connection, hash: str) -> Reason | None:
    """Why no mail goes to the address with this keyed hash; None when nothing is against it."""
    found: Reason | None = db.execute(select(s.suppressions.c.reason).where(s.suppressions.c.hash == hash)).scalar_one_or_none()
    return found


def suppress(db: Connection, hash: str, reason: Reason, now: datetime) -> None:
    """Send no more mail there; a stronger reason stays."""
    statement = insert(db, s.suppressions).values(hash=hash, reason=reason, at=now)
    keep = s.suppressions.c.reason == "left"
    db.execute(statement.on_conflict_do_update(index_elements=["hash"], set_={"reason": reason, "at": now}, where=keep))


def unsuppress(db: Connection, hash: str) -> None:
    """Nothing is against it any more."""
    db.execute(s.suppressions.delete().where(s.suppressions.c.hash == hash))


def _update(db: Connection, id: int, **values: Any) -> None:
    db.execute(s.subscriptions.update().where(s.subscriptions.c.id == id).values(**values))


_COLUMNS = [c for c in s.subscriptions.c if c.name not in ("token", "reckoned")]


def _plain() -> Select[Any]:
    return select(*_COLUMNS)


def _whole() -> Select[Any]:
    return select(*_COLUMNS, s.addresses.c.address).join(s.addresses, s.addresses.c.subscription_id == s.subscriptions.c.id)


def _one(db: Connection, statement: Select[Any]) -> Subscription | None:
    row = db.execute(statement).first()
    return _subscription(row) if row else None


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(**{**row._mapping, "choices": Choices.from_json(row.choices)})
