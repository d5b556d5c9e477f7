"""Thinning: what stays for how long, in small transactions, and that nothing grows over years."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog.outcomes import Counts, Outcome, Part, Run
from catalog.storage import Storage, requests, schema, sources, upkeep
from catalog.storage.sources import Batch

NOW = datetime(2026, 6, 1, 15, tzinfo=UTC)


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    made = Storage(migrated_url, upgrade=False)
    yield made
    made.close()


def visit(storage: Storage, at: datetime, outcome: Outcome = Outcome.OK, source: str = "arxiv") -> None:
    with storage.write() as db:
        run = Run(source, at)
        run.id = sources.begin_run(db, run)
        run.finished, run.outcome = at + timedelta(minutes=1), outcome
        run.error = "no answer" if outcome is Outcome.FAILED else ""
        run.parts = [Part(name, outcome, Counts(3, 0, 0, 3), 3, 3) for name in ("cs.LG", "cs.CL", "stat.ML")]
        sources.put_run(db, run)


def thin(storage: Storage, now: datetime = NOW, limit: int = 500) -> list[int]:
    """How many rows went in each transaction."""
    gone: list[int] = []
    while not gone or gone[-1] == limit:
        with storage.write() as db:
            gone.append(upkeep.thin(db, now, limit))
    return gone


def kept(storage: Storage) -> list[tuple[str, datetime]]:
    with storage.read() as db:
        return [(run.source, run.started) for run in sources.runs(db, limit=10_000)]


def test_five_weeks_of_runs_stay_whole(storage: Storage) -> None:
    for hours in range(0, 34 * 24, 5):
        visit(storage, NOW - timedelta(hours=hours))
    assert thin(storage) == [0]


def test_of_older_runs_the_last_of_each_source_and_day_stays(storage: Storage) -> None:
    day = datetime(2026, 4, 1, tzinfo=UTC)
    for hour in (0, 11, 23):
        visit(storage, day.replace(hour=hour))
        visit(storage, day.replace(hour=hour, minute=30), source="pmlr")
    assert thin(storage) == [4]
    assert kept(storage) == [("pmlr", day.replace(hour=23, minute=30)), ("arxiv", day.replace(hour=23))]


def test_failures_stay_for_ninety_days_with_their_error(storage: Storage) -> None:
    young, old = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    for day in (young, old):
        visit(storage, day.replace(hour=1), Outcome.FAILED)
        visit(storage, day.replace(hour=2), Outcome.PARTIAL)
        visit(storage, day.replace(hour=3))
    assert thin(storage) == [2]
    assert Counter(at.date() for _, at in kept(storage)) == {young.date(): 3, old.date(): 1}
    with storage.read() as db:
        assert [r.error for r in sources.runs(db) if r.outcome is Outcome.FAILED] == ["no answer"]


def test_runs_go_after_four_hundred_days(storage: Storage) -> None:
    visit(storage, NOW - timedelta(days=402))
    visit(storage, NOW - timedelta(days=399))
    assert thin(storage) == [1]
    assert len(kept(storage)) == 1


def test_answered_requests_go_after_thirty_days_and_open_ones_never(storage: Storage) -> None:
    old = NOW - timedelta(days=40)
    with storage.write() as db:
        for name in ("arxiv", "pmlr"):
            requests.ask(db, name, old)
        first = requests.take(db, "elsewhere|1|1|1", 60)
        assert first is not None
        requests.finish(db, first, old, 1, "ok", "")
    assert thin(storage) == [1]
    with storage.read() as db:
        assert list(requests.latest(db)) == ["pmlr"]


def test_confirmed_batches_go_after_four_hundred_days_and_gaps_stay_named(storage: Storage) -> None:
    old, young = NOW.date() - timedelta(days=500), NOW.date() - timedelta(days=300)
    with storage.write() as db:
        sources.put_batches(
            db,
            "arxiv",
            [Batch("a", old, 3, 3), Batch("b", old, 3, 2, ("2501.00001",)), Batch("c", old, 3, 3, (), "unchecked"),
             Batch("a", young, 3, 3)],
        )  # fmt: skip
    assert thin(storage) == [1]
    with storage.read() as db:
        assert [(b.part, b.day) for b in sources.batches(db, "arxiv", date(2000, 1, 1))] == [
            ("a", young), ("b", old), ("c", old),
        ]  # fmt: skip


def test_no_transaction_removes_more_than_it_is_told(storage: Storage) -> None:
    for n in range(25):
        visit(storage, NOW - timedelta(days=500, minutes=n))
    assert thin(storage, limit=10) == [10, 10, 5]
    assert kept(storage) == []


def test_a_chore_is_due_at_once_and_later_when_it_was_done(storage: Storage) -> None:
    with storage.write() as db:
        upkeep.register(db, ["thin"], NOW)
        upkeep.register(db, ["thin"], NOW + timedelta(days=9))
        assert upkeep.chores(db)["thin"].next_due == NOW
        upkeep.settle(db, "thin", NOW, NOW + timedelta(minutes=1), "broken")
        upkeep.settle(db, "thin", NOW, NOW + timedelta(minutes=2), "broken")
        chore = upkeep.chores(db)["thin"]
        assert (chore.failures, chore.error, chore.last_done) == (2, "broken", None)
        upkeep.settle(db, "thin", NOW, NOW + timedelta(days=1))
        chore = upkeep.chores(db)["thin"]
        assert (chore.failures, chore.error, chore.last_done, chore.next_due) == (0, "", NOW, NOW + timedelta(days=1))


@pytest.mark.slow
def test_two_years_of_visits_leave_a_ledger_that_does_not_grow(storage: Storage, migrated_url: str) -> None:
    """Five sources, eight visits a day each, requests and batches every day, nothing new; thinned once a day."""
    start = datetime(2024, 1, 1, tzinfo=UTC)
    sizes: list[int] = []
    rows: list[list[int]] = []
    names = ("arxiv", "pmlr", "cvf", "acl", "neurips")
    parts = json.dumps([Part(f"part {n}", Outcome.EMPTY, Counts(), 100, 100).as_dict() for n in range(6)])
    for day in range(730 + 60):
        at = start + timedelta(days=day)
        visits = [
            {"source": name, "started": at + timedelta(hours=hour), "finished": at + timedelta(hours=hour, minutes=1),
             "outcome": "failed" if (day + hour) % 17 == 0 else "empty", "seen": 0, "new": 0, "revised": 0, "unchanged": 0,
             "rejected": "{}", "requests": 6, "seconds": 1.0, "error": "", "parts": parts}
            for name in names for hour in range(0, 24, 3)
        ]  # fmt: skip
        answered = [
            {
                "source": name,
                "asked": at,
                "owner": "x",
                "fence": 1,
                "expires_at": 0.0,
                "finished": at,
                "outcome": "ok",
                "error": "",
            }
            for name in names
        ]
        with storage.write() as db:
            db.execute(schema.runs.insert(), visits)
            db.execute(schema.requests.insert(), answered)
            sources.put_batches(db, "arxiv", [Batch(f"part {n}", at.date(), 100, 100) for n in range(6)])
        thin(storage, at + timedelta(hours=23))
        if day in (430, 520, 789):
            with storage.read() as db:
                rows.append(
                    [int(db.execute(text(f"SELECT count(*) FROM {t}")).scalar_one()) for t in ("runs", "requests", "batches")]
                )
            if storage.dialect == "sqlite":
                path = Path(migrated_url.removeprefix("sqlite:///"))
                sizes.append(sum(p.stat().st_size for p in path.parent.glob(f"{path.name}*") if not p.name.endswith("-wal")))
    for first, last in zip(rows[0], rows[-1], strict=True):
        assert abs(last - first) <= 0.02 * first + 10
    if sizes:
        assert sizes[-1] <= 1.02 * sizes[0]
