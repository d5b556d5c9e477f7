"""Requests of the web: asked once, taken by one worker, taken again when that worker is gone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog.errors import LeaseLost
from catalog.storage import Storage, leases, requests
from catalog.storage.requests import Request

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 1, 29, 12, tzinfo=UTC)
#: A worker elsewhere: whether it lives cannot be known here, so only its expiry counts.
ELSEWHERE = "elsewhere/x/y|1|1|1"


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


def ask(storage: Storage, source: str, at: datetime = NOW) -> Request:
    with storage.write() as db:
        return requests.ask(db, source, at)


def take(storage: Storage, owner: str = "", ttl: float = 60) -> Request | None:
    with storage.write() as db:
        return requests.take(db, owner or leases.new_owner(), ttl)


def finish(storage: Storage, request: Request, run: int = 7) -> None:
    with storage.write() as db:
        requests.finish(db, request, NOW, run, "ok", "")


def latest(storage: Storage) -> dict[str, Request]:
    with storage.read() as db:
        return requests.latest(db)


def expire(storage: Storage) -> None:
    with storage.write() as db:
        db.execute(text("UPDATE requests SET expires_at = 0"))


def test_a_request_waits_is_taken_and_done(storage: Storage) -> None:
    asked = ask(storage, "arxiv")
    assert (asked.state, asked.asked, asked.finished) == ("waiting", NOW, None)
    taken = take(storage)
    assert taken is not None
    assert (taken.id, taken.state, taken.fence) == (asked.id, "taken", 1)
    finish(storage, taken)
    done = latest(storage)["arxiv"]
    assert (done.state, done.run, done.outcome, done.finished) == ("done", 7, "ok", NOW)
    with storage.read() as db:
        assert not requests.is_any_open(db)


def test_who_asks_again_while_it_waits_gets_the_same_request(storage: Storage) -> None:
    first = ask(storage, "arxiv")
    assert ask(storage, "arxiv", NOW + timedelta(minutes=1)) == first
    assert ask(storage, "pmlr").id != first.id


def test_who_asks_while_it_is_answered_gets_one_visit_more_after_it(storage: Storage) -> None:
    ask(storage, "arxiv")
    first = take(storage)
    assert first is not None
    second = ask(storage, "arxiv")
    assert second.id != first.id
    assert take(storage) is None
    finish(storage, first)
    again = take(storage)
    assert again is not None
    assert again.id == second.id


def test_the_oldest_is_taken_first(storage: Storage) -> None:
    names = ["pmlr", "arxiv", "cvf"]
    for name in names:
        ask(storage, name)
    assert [r.source for r in iter(lambda: take(storage), None)] == names


def test_what_a_dead_worker_of_this_machine_had_is_taken_at_once(storage: Storage) -> None:
    ask(storage, "arxiv")
    gone = subprocess.run(
        [sys.executable, "-c", "from catalog.storage import leases; print(leases.new_owner())"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    first = take(storage, gone, ttl=600)
    second = take(storage)
    assert first is not None
    assert second is not None
    assert (second.id, second.fence) == (first.id, 2)


def test_what_a_worker_elsewhere_has_is_taken_when_its_time_is_over_and_its_late_writes_are_refused(storage: Storage) -> None:
    ask(storage, "arxiv")
    first = take(storage, ELSEWHERE)
    assert first is not None
    assert take(storage) is None
    expire(storage)
    second = take(storage)
    assert second is not None
    with storage.write() as db:
        assert requests.renew(db, ELSEWHERE, 60) == 0
        requests.give_back(db, first)
    with pytest.raises(LeaseLost):
        finish(storage, first)
    assert take(storage) is None  # `give_back` of the first changed nothing
    finish(storage, second, run=8)
    assert latest(storage)["arxiv"].run == 8


def test_what_is_renewed_stays(storage: Storage) -> None:
    ask(storage, "arxiv")
    take(storage, ELSEWHERE, ttl=0.001)
    with storage.write() as db:
        assert requests.renew(db, ELSEWHERE, 60) == 1
    assert take(storage) is None


def test_what_is_given_back_is_taken_at_once(storage: Storage) -> None:
    ask(storage, "arxiv")
    first = take(storage, ELSEWHERE)
    assert first is not None
    with storage.write() as db:
        requests.give_back(db, first)
    second = take(storage)
    assert second is not None
    assert second.id == first.id


@pytest.mark.slow
def test_eight_takers_answer_each_of_many_requests_once(storage: Storage, migrated_url: str) -> None:
    count = 240
    for n in range(count):
        ask(storage, f"feed:{n}")
    command = [sys.executable, "-m", "tests.catalog.taker", migrated_url]
    takers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) for _ in range(8)]
    for taker in takers:
        assert taker.stdout is not None
        assert taker.stdout.readline() == "ready\n"
    said = []
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write("go\n")
        taker.stdin.flush()
    for taker in takers:
        out, _ = taker.communicate(timeout=120)
        assert taker.returncode == 0
        said.append(out.split())
    assert sorted(name for names in said for name in names) == sorted(f"feed:{n}" for n in range(count))
    assert sum(bool(names) for names in said) > 1
    with storage.read() as db:
        assert db.execute(text("SELECT count(*) FROM requests WHERE fence = 1 AND finished IS NOT NULL")).scalar() == count
