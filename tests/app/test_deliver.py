"""Deliver: each mail once, whatever relay, clock and other planners do; and the relay's answers, one by one."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app import alerts, deliver, relay, subscribing
from app.deliver import Pace
from app.relay import Refused
from catalog.errors import LeaseLost
from catalog.storage import Storage, leases, outbox, upkeep
from catalog.storage.leases import Lease
from catalog.storage.outbox import Mail
from catalog.subscriptions import Cadence, Choices, MailFormat
from tests.app.reading import NOW, Instance, holding, parsed
from tests.app.seeding import COUNT, more, weekly
from tests.loopback_smtp import LoopbackSmtp, server_side, trusting

pytestmark = pytest.mark.slow

MONDAY = NOW.replace(month=2, day=2)
Make = Callable[..., Instance]


@pytest.fixture
def make(new_storage: Callable[[], Storage], tmp_path: Path) -> Make:
    """Instances with readers that are due on Monday 2 February, and a relay on a port."""

    def made(port: int = 0, readers: int = 0, **given: Any) -> Instance:
        storage = new_storage()
        more(storage, range(COUNT))
        weekly(storage, [MONDAY.date() + timedelta(days=7 * n) for n in range(6)])
        given = {"mail_rate": 1000, "mail_domain_rate": 1000} | given
        given |= {"smtp_url": f"smtp://127.0.0.1:{port}"} if port else {}
        one = Instance(storage, tmp_path / "data", given)
        for n in range(readers):
            subscribing.add(one.context, f"r{n}@example.org", Choices(filter=(("topic", "deep-learning"),) if n % 2 else ()))
        one.clock.at = MONDAY
        return one

    return made


def states(one: Instance) -> dict[str, int]:
    with one.storage.read() as db:
        return outbox.states(db)


def recipients(server: LoopbackSmtp) -> Counter[str]:
    return Counter(mail.recipients[0] for mail in server.received)


# ------------------------------------------------------------------ once
def test_many_mails_over_one_connection_each_once(make: Make) -> None:
    with LoopbackSmtp() as server:
        one = make(server.port, 120)
        assert one.deliver().sent == 120
        assert one.deliver().sent == 0
        assert server.connections == 1
        assert set(recipients(server).values()) == {1}
        with one.storage.read() as db:
            assert db.execute(text("SELECT count(*) FROM letters")).scalar_one() == 2  # two filters
    mails = [parsed(mail.data) for mail in server.received]
    assert len({m["Message-ID"] for m in mails}) == 120
    assert len({m["List-Unsubscribe"] for m in mails}) == 120


def test_planning_twice_and_jumping_clocks_make_no_second_delivery(make: Make) -> None:
    one = make(readers=3)
    with holding(one.storage) as lease:
        assert deliver.plan(one.context, lease) == 3
        with one.storage.write() as db:  # as a second planner sees it that has read before the first one wrote
            db.execute(text("UPDATE subscriptions SET next_due = made"))
        assert deliver.plan(one.context, lease) == 0
    one.later(hours=-1)
    assert one.deliver().sent == 0
    one.clock.at = MONDAY
    assert one.deliver().sent == 3
    for jump in (timedelta(hours=-3), timedelta(hours=1), timedelta(days=-40), timedelta(days=40)):
        one.clock.at += jump
        assert one.deliver().sent == 0
    one.clock.at = MONDAY.replace(year=2027)  # a clock that runs a year ahead, for a while …
    one.deliver()
    one.clock.at = MONDAY + timedelta(days=7)  # … keeps nobody waiting for a year
    assert one.deliver().sent == 3


def test_after_a_standstill_the_last_week_is_sent_and_the_older_ones_are_named(make: Make) -> None:
    one = make(readers=1)
    one.clock.at = MONDAY + timedelta(days=15)  # Tuesday two weeks on: a day late for the last, too late for two
    assert one.deliver().sent == 1
    assert states(one) == {"sent": 1, "skipped": 2}
    one.clock.at = MONDAY + timedelta(days=21 + 2, hours=-4)  # Wednesday 08:00, an hour more than two days
    assert one.deliver().sent == 0
    assert states(one) == {"sent": 1, "skipped": 3}
    one.clock.at = MONDAY + timedelta(days=28)
    assert one.deliver().sent == 1


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_standstill_sends_no_empty_digest_and_a_quiet_day_none_at_all(make: Make) -> None:
    one = make(readers=1)
    for name, cadence, filter in (("d", "daily", ()), ("q", "daily", (("topic", "ai-history"),)), ("w", "weekly", ())):
        pairs = tuple((n, one.context.taxonomy.topics[-1].slug) for n, _ in filter)
        subscribing.add(one.context, f"{name}@example.org", Choices(filter=pairs, cadence=Cadence(cadence)))
    one.clock.at = MONDAY + timedelta(days=1)  # of Monday one item is held
    assert one.deliver().sent == 2  # the first reader's week, and the day of who asks for everything
    one.clock.at = MONDAY + timedelta(days=70)  # nothing is held any more
    assert one.deliver().sent == 0
    with one.storage.read() as db:
        assert deliver.HELD_BACK in set(db.execute(text("SELECT reason FROM outbox WHERE state = 'skipped'")).scalars())


def test_a_holder_that_was_taken_over_sends_no_more_and_marks_nothing(make: Make) -> None:
    with LoopbackSmtp() as server:
        one = make(server.port, 3)

        def stolen(word: str, line: str) -> None:
            if word == "END" and len(server.received) == 1:
                with one.storage.write() as db:
                    db.execute(text("UPDATE leases SET owner = '', expires_at = 0"))
                    other = leases.claim(db, deliver.LEASE, "somebody|1|1|x", 60)
                    assert isinstance(other, Lease)
                    assert len(outbox.take(db, other, MONDAY, 10)) == 2

        server.fault = stolen
        with pytest.raises(LeaseLost):
            one.deliver()
        assert states(one) == {"sent": 1, "sending": 2}
        with one.storage.write() as db:
            db.execute(text("UPDATE leases SET owner = '', expires_at = 0"))
        one.deliver()
    assert states(one) == {"sent": 3}
    doubled = [mail for mail in server.received if recipients(server)[mail.recipients[0]] == 2]
    assert len(doubled) == 2
    assert doubled[0].data == doubled[1].data  # to the byte: the mailbox knows it by its Message-ID


def test_stopping_finishes_the_mail_in_hand_and_gives_back_the_rest(make: Make) -> None:
    with LoopbackSmtp() as server:
        one = make(server.port, 5)
        assert one.deliver(stopping=lambda: len(server.received) >= 2).sent == 2
    assert states(one) == {"sent": 2, "queued": 3}


def test_the_message_and_its_date_are_those_of_the_decision(make: Make) -> None:
    one = make(readers=1)
    with holding(one.storage) as lease:
        deliver.plan(one.context, lease)
    one.later(hours=5)
    assert one.deliver().sent == 1
    assert parsedate_to_datetime(str(one.mails()[0]["Date"])) == MONDAY


# ------------------------------------------------------------------ the relay's answers
def at(word: str, answer: str) -> Callable[[str, str], str | None]:
    """This answer at this command for the reader r1, and nothing else."""
    found: list[str] = [""]

    def fault(now: str, line: str) -> str | None:
        if now == "RCPT":
            found[0] = line
        return answer if now == word and "r1@" in found[0] else None

    return fault


def waits(word: str, held: threading.Event, seconds: float) -> Callable[[str, str], str | None]:
    """At this command, so long or until the event."""

    def fault(now: str, line: str) -> None:
        if now == word:
            held.wait(seconds)

    return fault


LATER = [
    ("RCPT", "450 4.2.0 greylisted"), ("RCPT", "452 4.2.2 full"), ("DATA", "451 4.3.0 later"), ("END", "452 4.3.1 no space"),
    ("RCPT", "451 try again"),
]  # fmt: skip
FINAL = [
    ("RCPT", "550 5.1.1 no such user", "suppressed"), ("RCPT", "553 no", "suppressed"), ("END", "554 5.7.1 spam", "failed"),
    ("RCPT", "550 5.7.1 relaying denied", "failed"), ("RCPT", "552 5.2.2 full", "failed"), ("DATA", "554 no", "failed"),
    ("END", "550 5.1.1 no such user", "suppressed"),
]  # fmt: skip


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("word", "answer"), LATER)
def test_later_means_later_and_at_last_never(make: Make, word: str, answer: str) -> None:
    with LoopbackSmtp(fault=at(word, answer)) as server:
        one = make(server.port, 3)
        first = one.deliver()
        assert (first.sent, first.deferred, first.trouble) == (2, 1, "")
        tried = [one.clock.at]
        while states(one).get("failed") is None:
            one.later(minutes=1)
            assert one.deliver().deferred == 0  # no hot loop
            with one.storage.read() as db:
                at_last = db.execute(text("SELECT max(next_at) FROM outbox WHERE state = 'deferred'")).scalar_one()
            one.clock.at = datetime.fromisoformat(at_last)
            tried.append(one.clock.at)
            one.deliver()
        assert len(tried) == deliver.ATTEMPTS
        assert sum(at < MONDAY + timedelta(days=1) for at in tried) <= 8
        assert [later - earlier for earlier, later in pairwise(tried)][:3] == [timedelta(minutes=m) for m in (5, 15, 45)]
    assert set(recipients(server)) == {"r0@example.org", "r2@example.org"}


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("word", "answer", "state"), FINAL)
def test_never_means_never(make: Make, word: str, answer: str, state: str) -> None:
    with LoopbackSmtp(fault=at(word, answer)) as server:
        one = make(server.port, 3)
        one.deliver()
        assert states(one) == {"sent": 2, state: 1}
        server.fault = lambda now, line: None
        one.later(days=7)
        assert one.deliver().sent == (2 if state == "suppressed" else 3)
        with one.storage.read() as db:
            hashes = set(db.execute(text("SELECT hash FROM suppressions")).scalars())
        known = {subscribing.keys_of(one.context).address_hash("r1@example.org")}
        assert hashes == (known if state == "suppressed" else set())


def test_broken_off_before_the_mail_was_whole_nothing_is_lost(make: Make) -> None:
    with LoopbackSmtp(fault=at("DATA", "drop")) as server:
        one = make(server.port, 3)
        report = one.deliver()
        assert report.trouble or report.deferred
        server.fault = lambda now, line: None
        one.later(minutes=6)
        one.deliver()
    assert states(one) == {"sent": 3}
    assert set(recipients(server).values()) == {1}


def test_broken_off_after_the_mail_was_whole_it_comes_again_as_the_same(make: Make) -> None:
    with LoopbackSmtp(fault=at("END", "drop")) as server:
        one = make(server.port, 3)
        report = one.deliver()
        assert (report.sent, report.deferred) == (2, 1)
        server.fault = lambda now, line: None
        one.later(minutes=6)
        assert one.deliver().sent == 1
    assert recipients(server)["r1@example.org"] == 2
    first, second = (mail.data for mail in server.received if mail.recipients == ["r1@example.org"])
    assert first == second


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("word", "answer", "said"),
    [
        ("MAIL", "550 5.7.1 who are you", "the relay refused the sender (550)"),
        ("LO", "421 4.3.2 shutting down", "the relay answered 421"),
        ("RCPT", "421 4.3.2 shutting down", "the relay answered 421"),
        ("CONNECT", "drop", "broke the dialogue off"),
        ("CONNECT", "554 no", "the relay answered 554"),
        ("AUTH", "535 5.7.8 wrong", "the relay refused the login (535)"),
    ],
)
def test_trouble_with_the_relay_pauses_everybody_and_counts_against_nobody(
    make: Make, word: str, answer: str, said: str
) -> None:
    with LoopbackSmtp(fault=lambda now, line: answer if now.endswith(word) else None) as server:
        one = make(readers=3, smtp_url=f"smtp://ada:hunter2@127.0.0.1:{server.port}")
        report = one.deliver()
        assert report.sent == 0
        assert said in report.trouble
        assert "hunter2" not in report.trouble
        assert states(one) == {"queued": 3}
        assert server.connections <= 2  # no hot loop
        server.fault = lambda now, line: None
        assert one.deliver().sent == 3


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_no_tls_a_bad_certificate_and_silence_are_trouble(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SECONDS", 0.3)
    held = threading.Event()
    with LoopbackSmtp(fault=waits("CONNECT", held, 5)) as server:
        one = make(server.port, 2)
        assert re.search("cannot be reached|broke the dialogue", one.deliver().trouble)  # half-open: it never greets
        held.set()
        monkeypatch.setattr(relay.Relay, "is_local", False)
        assert "offers no STARTTLS" in one.deliver().trouble
        assert server.received == []
    assert states(one) == {"queued": 2}


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_certificate_of_nobody_is_not_believed(make: Make, certificate: Path) -> None:
    with LoopbackSmtp(tls=server_side(certificate), starttls=True) as server:
        one = make(server.port, 2)
        assert "certificate is not believed" in one.deliver().trouble
        assert one.deliver(trust=trusting(certificate)).sent == 2
        assert all(mail.encrypted for mail in server.received)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_slow_yes_is_a_yes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SECONDS", 0.1)
    with LoopbackSmtp(fault=waits("END", threading.Event(), 0.3)) as server:
        assert make(server.port, 2).deliver().sent == 2
    assert set(recipients(server).values()) == {1}


@pytest.mark.parametrize(
    ("code", "answer", "stage", "bounced"),
    [
        (550, "5.1.1 x", "recipient", True), (550, "no", "recipient", True), (550, "5.7.26 x", "recipient", False),
        (554, "5.2.1 disabled", "content", True), (554, "no", "content", False), (450, "4.1.1 x", "recipient", False),
    ],
)  # fmt: skip
def test_what_is_a_bounce(code: int, answer: str, stage: Any, bounced: bool) -> None:
    assert Refused(code, answer, stage).bounced is bounced


# ------------------------------------------------------------------ pace
def mail_to(n: int, address: str) -> Mail:
    return Mail(n, n, "digest", 1, f"<{n}@x>", 0, NOW, address, "", "", "", MailFormat.HTML, True)


def test_the_pace_is_kept_in_all_and_for_each_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("app.deliver.time.monotonic", lambda: now[0])
    pace, gone = Pace(10, 2), []
    waiting = [mail_to(n, f"x@{'ab'[n >= 6]}") for n in range(12)]
    while waiting:
        place, wait = pace.choose(waiting)
        if wait > 0:
            now[0] += wait
            continue
        gone.append((now[0], waiting[place].address[-1]))
        pace.took(waiting.pop(place))
    for domain, least in (("a", 0.5), ("b", 0.5), ("ab", 0.1)):
        times = [at for at, name in gone if name in domain]
        assert all(later - earlier >= least - 1e-6 for earlier, later in pairwise(times))
    assert now[0] - 100 < 3.2  # the two domains take turns


# ------------------------------------------------------------------ the worker's chore
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_worker_plans_sends_and_backs_off(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.worker import Worker

    told: list[str] = []
    monkeypatch.setattr(alerts, "_post", lambda url, body, proxy: told.append(body["text"]))
    with LoopbackSmtp(fault=lambda now, line: "drop" if now == "CONNECT" else None) as server:
        one = make(server.port, 2, alert_to="https://hooks.example/x,ops@example.org")
        worker = Worker(one.context, [])
        worker.tick()
        worker.wait()
        with one.storage.read() as db:
            chore = upkeep.chores(db)["deliver"]
        assert chore.failures == 1
        assert chore.next_due == one.clock.at + timedelta(minutes=1)
        for minutes in (1, 2, 4):
            one.later(minutes=minutes)
            worker.tick()
            worker.wait()
        assert told == ["Skillfeed: mail waits, the relay broke the dialogue off (SMTPServerDisconnected)"]  # once
        server.fault = lambda now, line: None
        worker.tick()
        worker.wait()
        assert server.received == []  # not yet
        one.later(minutes=8)
        worker.tick()
        worker.wait()
        assert len(server.received) == 2
        with one.storage.read() as db:
            assert upkeep.chores(db)["deliver"].failures == 0
