"""Leases: one holder at a time by the database's clock, fenced writes, dead owners replaced at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from catalog.errors import LeaseLost
from catalog.storage import Storage, leases
from catalog.storage import schema as s
from catalog.storage.leases import Lease, Refusal
from tests.catalog import child
from tests.catalog.child import NAME
from tests.catalog.things import Thing, store
from tests.dumps import dump

SHORT = 0.05  # seconds
LONG = 600.0
ELSEWHERE = "other.example/boot/pid:[1]|1|1|abc"  # alive or not, who knows


def database_now(db: Connection) -> float:
    """Seconds since 1970 by the database's clock, as the leases read it."""
    return float(db.execute(text(f"SELECT {leases.now_sql(db)}")).scalar_one())


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    """An empty database."""
    opened = Storage(migrated_url, upgrade=False)
    yield opened
    opened.close()


def claim(storage: Storage, owner: str, ttl: float = LONG, name: str = NAME) -> Lease | Refusal:
    """One attempt in a transaction of its own."""
    with storage.write() as db:
        return leases.claim(db, name, owner, ttl)


def claimed(storage: Storage, owner: str, ttl: float = LONG, name: str = NAME) -> Lease:
    """An attempt that must succeed."""
    got = claim(storage, owner, ttl, name)
    assert isinstance(got, Lease)
    return got


def refused(storage: Storage, owner: str, name: str = NAME) -> Refusal:
    """An attempt that must fail."""
    got = claim(storage, owner, LONG, name)
    assert isinstance(got, Refusal)
    return got


def until(what: Callable[[], bool]) -> None:
    """Poll until it is so, for ten seconds at most."""
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def row(storage: Storage, name: str = NAME) -> tuple[str, int, float, float]:
    """Owner, fence, and the seconds until it expires and may be claimed."""
    with storage.read() as db:
        found = db.execute(select(s.leases).where(s.leases.c.name == name)).one()
        now = database_now(db)
    return found.owner, found.fence, found.expires_at - now, found.ready_at - now


# ------------------------------------------------------------------ claiming
def test_a_held_name_is_refused_with_the_wait_and_the_holder(storage: Storage) -> None:
    first = claimed(storage, ELSEWHERE)
    assert first == Lease(NAME, ELSEWHERE, 1)
    no = refused(storage, "second")
    assert no.holder == ELSEWHERE
    assert LONG - 60 < no.wait <= LONG


def test_a_holder_is_refused_its_own_name(storage: Storage) -> None:
    claimed(storage, "one")
    assert refused(storage, "one").holder == "one"


def test_names_do_not_stand_in_each_others_way(storage: Storage) -> None:
    claimed(storage, "one", name="source:a")
    claimed(storage, "two", name="source:b")
    assert refused(storage, "two", name="source:a").holder == "one"


def test_each_claim_has_a_higher_fence(storage: Storage) -> None:
    fences = []
    for n in range(5):
        lease = claimed(storage, f"owner {n}")
        fences.append(lease.fence)
        with storage.write() as db:
            leases.release(db, lease)
    assert fences == [1, 2, 3, 4, 5]


def test_a_lease_expires_by_the_clock_of_the_database(storage: Storage) -> None:
    old = claimed(storage, ELSEWHERE, SHORT)
    until(lambda: isinstance(claim(storage, "next"), Lease))
    owner, fence, left, _ = row(storage)
    assert (owner, fence) == ("next", old.fence + 1)
    assert LONG - 60 < left <= LONG


def test_the_clock_of_the_database_is_the_time(storage: Storage) -> None:
    with storage.read() as db:
        assert abs(database_now(db) - time.time()) < 5
        first = database_now(db)
        until(lambda: database_now(db) > first)  # it goes on inside a transaction


def test_a_renewed_lease_lives_on(storage: Storage) -> None:
    lease = claimed(storage, ELSEWHERE, SHORT)
    with storage.write() as db:
        assert leases.renew(db, lease, LONG)
    until(lambda: row(storage)[2] < LONG - 2 * SHORT)
    assert refused(storage, "next").holder == ELSEWHERE


def test_a_lease_that_was_taken_over_is_not_renewed(storage: Storage) -> None:
    old = claimed(storage, ELSEWHERE, 0)
    new = claimed(storage, "next", 50)
    with storage.write() as db:
        assert not leases.renew(db, old, LONG)
        assert leases.renew(db, new, 60)
    assert row(storage)[2] <= 60


def test_an_owner_that_claims_again_after_expiry_cannot_use_its_first_lease(storage: Storage) -> None:
    old = claimed(storage, "one", 0)
    new = claimed(storage, "one", LONG)
    with storage.write() as db:
        assert not leases.renew(db, old, LONG)
        leases.release(db, old)
        leases.require(db, new)
        with pytest.raises(LeaseLost):
            leases.require(db, old)


# ------------------------------------------------------------------ fencing
def test_a_write_under_a_lost_lease_writes_nothing(storage: Storage) -> None:
    before = dump(storage)
    old = claimed(storage, ELSEWHERE, 0)
    new = claimed(storage, "next")

    def act(db: Connection, lease: Lease) -> None:
        store(db, [Thing("1")])
        leases.require(db, lease)

    with pytest.raises(LeaseLost, match=rf"the lease {NAME} was taken over by another process; nothing was written"):
        storage.writing(lambda db: act(db, old))
    assert dump(storage) == before
    storage.writing(lambda db: act(db, new))
    assert dump(storage) != before


def test_an_expired_lease_that_nobody_took_still_holds(storage: Storage) -> None:
    lease = claimed(storage, "slow", 0)
    with storage.write() as db:
        leases.require(db, lease)


def test_nobody_takes_a_lease_over_while_its_holder_writes(storage: Storage) -> None:
    """`require` keeps the row until the end of the transaction: a claim in the meantime waits, or is told to."""
    lease = claimed(storage, "one", 0)
    with storage.write() as db:
        leases.require(db, lease)
        with storage._writer.connect() as other:
            if storage.dialect == "sqlite":
                other.connection.dbapi_connection.execute("PRAGMA busy_timeout=0")  # type: ignore[union-attr]
            else:
                other.exec_driver_sql("SET lock_timeout = '50ms'")
            with pytest.raises(Exception, match="lock"):
                leases.claim(other, NAME, "two", LONG)
            other.rollback()
            other.invalidate()
    assert claimed(storage, "two").fence == 2


# ------------------------------------------------------------------ spacing
def test_a_released_name_is_free_at_once(storage: Storage) -> None:
    lease = claimed(storage, "one")
    with storage.write() as db:
        leases.release(db, lease)
    assert claimed(storage, "two").fence == 2


def test_a_name_released_with_a_pause_is_refused_without_a_holder(storage: Storage) -> None:
    lease = claimed(storage, "one")
    with storage.write() as db:
        leases.release(db, lease, 30)
    no = refused(storage, "two")
    assert no.holder == ""
    assert 20 < no.wait <= 30


def test_a_pause_ends_by_the_clock_of_the_database(storage: Storage) -> None:
    lease = claimed(storage, "one")
    with storage.write() as db:
        leases.release(db, lease, SHORT)
    until(lambda: isinstance(claim(storage, "two"), Lease))
    assert row(storage)[3] <= 0


def test_a_pause_only_ever_grows(storage: Storage) -> None:
    lease = claimed(storage, "one")
    with storage.write() as db:
        leases.postpone(db, lease, 100)
        leases.postpone(db, lease, 5)
        leases.release(db, lease, 1)
    assert 90 < row(storage)[3] <= 100
    assert 90 < refused(storage, "two").wait <= 100


def test_a_postponed_name_is_still_held_and_paused_when_its_holder_is_lost(storage: Storage) -> None:
    lease = claimed(storage, ELSEWHERE, 0)
    with storage.write() as db:
        leases.postpone(db, lease, 30)
        leases.require(db, lease)
    no = refused(storage, "two")
    assert no.holder == ELSEWHERE
    assert 20 < no.wait <= 30


def test_who_lost_a_lease_neither_releases_nor_postpones_it(storage: Storage) -> None:
    old = claimed(storage, ELSEWHERE, 0)
    claimed(storage, "next", LONG)
    before = row(storage)
    with storage.write() as db:
        leases.release(db, old, 1000)
        leases.postpone(db, old, 1000)
    assert row(storage)[:2] == before[:2]
    assert row(storage)[3] < 0


# ------------------------------------------------------------------ owners
def test_a_live_owner_of_this_machine_is_not_replaced(storage: Storage) -> None:
    owner = leases.new_owner()
    claimed(storage, owner)
    assert refused(storage, "two").holder == owner


@pytest.mark.slow
def test_a_killed_owner_is_replaced_at_once(storage: Storage) -> None:
    process = child.start("hold", storage.url)
    child.release(process)
    assert process.stdout is not None
    owner = process.stdout.readline().strip()
    assert refused(storage, "two").holder == owner
    with storage.read() as db:
        assert leases.holders(db, NAME) == {NAME: owner}
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with storage.read() as db:
        assert leases.holders(db, NAME) == {}
    assert claimed(storage, "two").fence == 2


def test_a_killed_owners_pause_is_kept(storage: Storage) -> None:
    dead = _dead_owner()
    lease = claimed(storage, dead)
    with storage.write() as db:
        leases.postpone(db, lease, 30)
    no = refused(storage, "two")
    assert no.holder == ""
    assert 20 < no.wait <= 30


def _dead_owner() -> str:
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
        started = leases._started(process.pid)
    return f"{leases._place()}|{process.pid}|{started}|x-1"


def test_only_a_process_of_this_machine_can_be_known_to_be_dead() -> None:
    me = leases.new_owner()
    place, pid, started, unique = me.split("|")
    assert not leases.is_dead(me)
    assert leases.is_dead(_dead_owner())
    assert leases.is_dead(f"{place}|{pid}|{int(started) + 1}|{unique}")  # its number belongs to another process now
    assert not leases.is_dead(f"{place}|{pid}||{unique}")
    assert not leases.is_dead(_dead_owner().replace(place, "elsewhere"))
    for odd in ("", "one", "a|b|c", ELSEWHERE):
        assert not leases.is_dead(odd)


def test_owners_are_all_different() -> None:
    assert len({leases.new_owner() for _ in range(100)}) == 100
    assert f"|{os.getpid()}|" in leases.new_owner()


def test_holders_are_found_by_the_beginning_of_the_name_as_written(storage: Storage) -> None:
    for name in ("source:a", "source:a_b", "source:aXb", "SOURCE:a_b", "host:a"):
        claimed(storage, "me", name=name)
    claimed(storage, "me", 0, "source:a_expired")
    lease = claimed(storage, "me", name="source:a_released")
    with storage.write() as db:
        leases.release(db, lease)
    with storage.read() as db:
        assert set(leases.holders(db, "source:")) == {"source:a", "source:a_b", "source:aXb"}
        assert set(leases.holders(db, "source:a_")) == {"source:a_b"}
        assert set(leases.holders(db, "source:%")) == set()


# ------------------------------------------------------------------ all at once
@pytest.mark.slow
@pytest.mark.parametrize("rounds", [15, pytest.param(500, marks=pytest.mark.soak)])
def test_four_processes_never_hold_one_name_at_once(storage: Storage, tmp_path: Path, rounds: int) -> None:
    fences = [int(line) for line in child.all_at_once("claim", storage.url, rounds, tmp_path / "mark")]
    assert sorted(fences) == list(range(1, 4 * rounds + 1))
