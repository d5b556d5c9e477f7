"""Deliver: decide who is owed which digest, and send what the outbox holds. Each once, whatever is killed.

*Plan*: for each reader who is due, the letter of their filter and period is written first, once for all who share it. Then
one transaction puts the mail into the outbox and says when the reader is due next. A delivery is known by reader and period, so
that planning twice, two planners or a clock that jumps make no second one.

*Send*: one process at a time, the holder of the lease, over one connection. "sent" is committed for each mail right after the
relay has taken it. Who is killed between the two leaves one mail that is sent again, with the same Message-ID.

What the relay answers: 4xx is tried again after 5 minutes, three times as long each time, at most 24 hours, eight times in
all. 5xx to the recipient ends the subscription's mail and suppresses the address, unless a rule of the relay is the reason.
5xx to the content fails this mail. Trouble with the relay itself pauses everybody and counts against nobody.
"""

from __future__ import annotations

import hashlib
import json
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from app import digests, letters, mail, relay, subscribing
from app.context import Context
from catalog.errors import SkillfeedError
from catalog.keys import Keys
from catalog.storage import Storage, leases, outbox
from catalog.storage import subscriptions as store
from catalog.storage.leases import Lease
from catalog.storage.outbox import Mail
from catalog.storage.subscriptions import Subscription
from catalog.subscriptions import Cadence, Due, Owed, latest_due, owed

LEASE = "chore:deliver"
HELD_BACK = "nothing was announced, or nothing of it is held yet"
AT_ONCE = 100  # mails taken, readers planned, in one transaction
ATTEMPTS = 8
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=5), timedelta(hours=24)
BROKEN_OFF = 3  # mails in a row that the relay breaks off before everybody waits
_READY = 256  # letters that are kept encoded: some megabytes

log = structlog.get_logger("skillfeed.deliver")


@dataclass(slots=True)
class Report:
    """What came of sending."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    suppressed: int = 0
    trouble: str = ""  # with the relay; "" when there was none


# ------------------------------------------------------------------ plan
def plan(context: Context, lease: Lease, stopping: Callable[[], bool] = lambda: False) -> int:
    """Put what is owed now into the outbox; returns how many mails, skipped ones too. Raises LeaseLost."""
    made, numbers = 0, dict[tuple[str, str], int | None]()
    while not stopping():
        now = context.clock.now()
        with context.storage.read() as db:
            readers = store.due(db, now, AT_ONCE)
        if not readers:
            return made
        steps = [(reader, owed(reader.choices, _since(reader, now), now, reader.changed)) for reader in readers]
        for reader, step in steps:
            if step.now is not None and (key := (_key(reader), step.now.period.name)) not in numbers:
                numbers[key] = _letter(context, reader, step.now, key[0])
        rows = [row for reader, step in steps for row in _rows(context, reader, step, numbers)]
        with context.storage.write() as db:
            leases.require(db, lease)
            made += outbox.put(db, rows, now)
            store.advance(db, [(r.id, r.next_due, step.following) for r, step in steps if r.next_due], now)
    return made


def _since(reader: Subscription, now: datetime) -> datetime:
    """From when on deliveries are owed; after a clock that ran ahead from the last one, if the reader was there by then."""
    assert reader.next_due is not None
    assert reader.confirmed is not None
    if reader.next_due <= now:
        return reader.next_due
    last = latest_due(reader.choices, now).at
    return last if reader.confirmed < last else now


def _rows(
    context: Context, reader: Subscription, step: Owed, numbers: dict[tuple[str, str], int | None]
) -> list[dict[str, Any]]:
    rows = [
        subscribing.row(
            reader, "digest", due.period.name, due.at, context, state="skipped", reason="it could not be sent within 48 hours"
        )
        for due in step.missed
    ]
    if step.now is not None:
        number = numbers[_key(reader), step.now.period.name]
        held = {"state": "skipped", "reason": HELD_BACK} if number is None else {}
        rows.append(subscribing.row(reader, "digest", step.now.period.name, context.clock.now(), context, number, **held))
    return rows


def _letter(context: Context, reader: Subscription, due: Due, key: str) -> int | None:
    """The letter of the reader's filter and this period, written now unless it is there; None when there is none to send.

    From a period of which nothing at all is held no digest is made: that is a standstill, not a quiet week, and what comes
    later is told as late. A quiet week says so; a quiet day says nothing.
    """
    with context.storage.read() as db:
        known = outbox.letter_id(db, key, due.period.name)
    if known is not None:
        return known
    now = context.clock.now()
    filter = subscribing.filter_of(context, reader.choices)
    digest = digests.preview(context.storage, context.taxonomy, filter, due.period, now.date())
    if digest.receipt.items == 0 or (digest.quiet and reader.choices.cadence is Cadence.DAILY):
        return None
    letter = letters.letter_of(digest, context.settings.base_url)
    with context.storage.write() as db:
        return outbox.put_letter(db, key, due.period.name, letter, now)


def _key(reader: Subscription) -> str:
    return hashlib.blake2b(json.dumps(reader.choices.filter).encode(), digest_size=16).hexdigest()


# ------------------------------------------------------------------ send
class Sender:
    """Sends what the outbox holds, under the lease, until nothing is due or it is told to stop."""

    def __init__(
        self, context: Context, lease: Lease, *, trust: ssl.SSLContext | None = None,
        stopping: Callable[[], bool] = lambda: False, pause: Callable[[float], Any] = time.sleep,
    ) -> None:  # fmt: skip
        self._context, self._lease, self._stopping, self._pause = context, lease, stopping, pause
        self._keys: Keys = subscribing.keys_of(context)
        self._frame, self._bare = letters.frame_of(context.settings)
        at = relay.relay_from(context.settings.smtp_url.get_secret_value())
        self._connection = relay.Connection(at, trust) if at else None
        self._pace = Pace(context.settings.mail_rate, context.settings.mail_domain_rate) if at else Pace(0, 0)
        self._ready: dict[int, letters.Ready] = {}
        self._broken = 0
        self._ledger = Ledger(context.storage, lease)
        self.report = Report()

    def unpaced(self) -> None:
        """As fast as the relay takes them."""
        self._pace = Pace(0, 0)

    def run(self) -> Report:
        """Send; what is left of what was taken goes back. Raises LeaseLost when another has taken over."""
        try:
            while not self._stopping() and not self.report.trouble:
                with self._context.storage.write() as db:
                    leases.require(db, self._lease)
                    taken = outbox.take(db, self._lease, self._context.clock.now(), AT_ONCE)
                if not taken:
                    break
                self._send_all(deque(taken))
        finally:
            if self._connection:
                self._connection.close()
            self._ledger.close()
        return self.report

    def _send_all(self, waiting: deque[Mail]) -> None:
        try:
            while waiting and not self._stopping() and not self.report.trouble:
                # Whoever's domain has had its share lets the others go first.
                place, wait = self._pace.choose(waiting)
                if wait > 0:
                    self._ledger.settled()
                    self._pause(min(wait, 1.0))
                    continue
                one = waiting[place]
                del waiting[place]
                self._pace.took(one)
                self._send(one)
            self._ledger.settled()
        finally:
            if waiting:
                with self._context.storage.write() as db:
                    outbox.give_back(db, self._lease, [one.id for one in waiting])

    def _send(self, one: Mail) -> None:
        storage, now = self._context.storage, self._context.clock.now()
        if one.kind == "confirm" and not one.question:
            with storage.write() as db:
                outbox.settle(db, self._lease, one.id, "skipped", now, "the question was answered or is too old")
            return
        try:
            message = self._written(one)
            if self._connection:
                self._connection.send(self._bare, one.address, message, self._ledger.settled)
            else:
                mail.keep(self._context.settings, one.message_id, message)
        except relay.Refused as refused:
            self._broken = 0
            self._refused(one, refused, now)
        except relay.RelayTrouble as trouble:
            self._trouble(one, trouble, now)
        else:
            self._broken = 0
            self._ledger.sent(one.id, now)
            self.report.sent += 1

    def _written(self, one: Mail) -> bytes:
        """The mail as bytes; the same whenever it is made but for its Date, which is that of the decision."""
        manage = self._keys.token("manage", one.salt)
        if one.letter is None:
            token = self._keys.token("confirm", one.question)
            ready = letters.made_ready(letters.question(self._frame, token, manage, known=one.known))
        else:
            if one.letter not in self._ready:
                with self._context.storage.read() as db:
                    found = outbox.letter(db, one.letter)
                if len(self._ready) >= _READY:
                    del self._ready[next(iter(self._ready))]
                self._ready[one.letter] = letters.made_ready(found)
            ready = self._ready[one.letter]
        return letters.written(
            ready, self._frame, one.address, one.message_id, one.made, manage, one.format, digest=one.letter is not None
        )

    def _refused(self, one: Mail, refused: relay.Refused, now: datetime) -> None:
        storage, reason = self._context.storage, str(refused)
        with storage.write() as db:
            if refused.bounced:
                outbox.settle(db, self._lease, one.id, "suppressed", now, reason)
                outbox.suppress(db, one.subscription, now, reason)
                store.suppress(db, one.hash, "bounced", now)
                store.stop(db, one.subscription)
                self.report.suppressed += 1
            elif refused.final or one.attempts + 1 >= ATTEMPTS:
                outbox.settle(db, self._lease, one.id, "failed", now, reason)
                self.report.failed += 1
            else:
                outbox.defer(db, self._lease, one.id, now + wait_after(one.attempts + 1), reason)
                self.report.deferred += 1
        log.info("mail_refused", mail=one.id, code=refused.code, stage=refused.stage, final=refused.final)

    def _trouble(self, one: Mail, trouble: relay.RelayTrouble, now: datetime) -> None:
        """Nobody's fault: the mail waits. One that the relay breaks off again and again waits for longer, not everybody."""
        self._broken += 1
        with self._context.storage.write() as db:
            if trouble.begun and one.attempts + 1 >= ATTEMPTS:
                outbox.settle(db, self._lease, one.id, "failed", now, str(trouble))
                self.report.failed += 1
            elif trouble.begun:
                outbox.defer(db, self._lease, one.id, now + wait_after(one.attempts + 1), str(trouble))
                self.report.deferred += 1
            else:
                outbox.put_back(db, self._lease, one.id, now)
        if not trouble.begun or self._broken >= BROKEN_OFF:
            self.report.trouble = str(trouble)


class Ledger:
    """Marks mails as sent while the relay reads the beginning of the next one, whose content waits until the mark is committed.

    So there is never more than one mail that the relay has taken and the database does not know of.
    """

    def __init__(self, storage: Storage, lease: Lease) -> None:
        self._storage, self._lease = storage, lease
        self._stack = ExitStack()
        self._mark = self._stack.enter_context(storage.marking())
        self._open: tuple[int, datetime] | None = None

    def sent(self, id: int, now: datetime) -> None:
        """The relay has taken it."""
        self.settled()
        self._open = id, now

    def settled(self) -> None:
        """Commit what is open; raises LeaseLost when another has taken over."""
        one, self._open = self._open, None
        if one is None or outbox.mark_sent(self._mark, self._lease, *one):
            return
        with self._storage.write() as db:  # erased meanwhile, or another has taken over: then this raises
            leases.require(db, self._lease)

    def close(self) -> None:
        """Give the connection back."""
        self._stack.close()


@dataclass(slots=True)
class Pace:
    """So many mails a second in all, and to one domain; 0 is without limit. Real time."""

    rate: float
    domain_rate: float
    _next: float = 0.0
    _domains: dict[str, float] = field(default_factory=dict)

    def choose(self, waiting: Sequence[Mail]) -> tuple[int, float]:
        """Which may go first, and in how many seconds."""
        if self.rate == 0:
            return 0, 0.0
        now = time.monotonic()
        if self._next > now:
            return 0, self._next - now
        ready = [max(self._domains.get(_domain(one), 0.0), now) for one in waiting]
        place = min(range(len(ready)), key=lambda i: (ready[i], i))
        return place, ready[place] - now

    def took(self, one: Mail) -> None:
        """It goes now."""
        if self.rate:
            now, domain = time.monotonic(), _domain(one)
            self._next = max(self._next, now) + 1 / self.rate
            self._domains = {d: at for d, at in self._domains.items() if at > now}
            self._domains[domain] = now + 1 / self.domain_rate


def wait_after(attempts: int) -> timedelta:
    """How long a mail waits after so many attempts: 5 minutes, three times as long each time, at most 24 hours."""
    return min(LONGEST_RETRY, FIRST_RETRY * (1, 3, 9, 27, 81, 243, 729)[min(max(attempts, 1), 7) - 1])


def _domain(one: Mail) -> str:
    return one.address.rpartition("@")[2]


def deliver(context: Context, lease: Lease, **how: Any) -> Report:
    """Plan and send, under the lease; a plan that fails does not keep what is decided from being sent."""
    try:
        plan(context, lease, how.get("stopping", lambda: False))
    except SkillfeedError as error:
        log.warning("plan_failed", error=str(error))
    return Sender(context, lease, **how).run()
