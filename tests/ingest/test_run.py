"""A visit as the ledger tells it: outcomes, counts, leases, and what a broken source may not do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from catalog.entries import EntryData, Kind
from catalog.errors import FetchError, LeaseLost
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings
from catalog.storage import entries, leases, sources
from catalog.storage.leases import Lease
from catalog.storage.sources import PartState
from ingest.fetch import Answer
from ingest.run import visit_if_due, visit_source
from ingest.source import History, Page, Visit, Window
from tests.ingest import calls
from tests.instance import Instance, instance

DAY = date(2026, 1, 29)


class Scripted:
    """A source that does what the test says."""

    name = "scripted"
    homepage = "https://example.org/"
    summary = "for tests"
    enabled = True

    def __init__(self, act: Callable[[Visit], None]) -> None:
        self._act = act

    def steps(self, settings: Settings) -> int:
        """One part."""
        return 1

    def visit(self, visit: Visit) -> None:
        """Do what the test says."""
        self._act(visit)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """In an hour."""
        return now + timedelta(hours=1)


@pytest.fixture
def one(migrated_url: str) -> Iterator[Instance]:
    """An instance that fetches nothing."""
    with instance(migrated_url, "http://127.0.0.1:9", DAY) as made:
        yield made


def entry(key: str, title: str = "A study of trees") -> EntryData:
    """An invented paper."""
    return EntryData(
        source="scripted", key=key, kind=Kind.PAPER, title=title, url=f"https://example.org/{key}", announced=DAY,
        abstract="We grow decision trees with gradient boosting.", identifiers=(("url", f"https://example.org/{key}"),),
    )  # fmt: skip


def keep(*pages: Page) -> Callable[[Visit], None]:
    """A visit that keeps these pages in one part."""

    def act(visit: Visit) -> None:
        part = visit.begin("all")
        part.outcome = Outcome.OK
        for page in pages:
            visit.keep(part, page)

    return act


def test_counts_add_up_and_stand_in_the_ledger(one: Instance) -> None:
    page = Page([entry("a"), entry("b")], rejected=Counter({"no-title": 2}))
    run = visit_source(one.tools, Scripted(keep(page, Page([entry("a"), entry("b", "Another title")]))))
    assert (run.counts.seen, run.counts.new, run.counts.revised, run.counts.unchanged) == (6, 2, 1, 1)
    assert run.counts.rejected == {"no-title": 2}
    with one.storage.read() as db:
        told = sources.runs(db, "scripted")[0]
    assert told.as_dict() == run.as_dict()
    assert told.finished == run.finished


def test_a_page_is_stored_whole_or_not_at_all(one: Instance) -> None:
    bad = entry("bad")
    object.__setattr__(bad, "version", 2**40)  # no column holds it
    act = keep(Page([entry("good")], state=PartState({"at": 1})), Page([entry("other"), bad], state=PartState({"at": 2})))
    run = visit_source(one.tools, Scripted(act))
    with one.storage.read() as db:
        held = entries.held(db, "scripted", ["good", "other", "bad"])
        state = sources.part(db, "scripted", "all")
    if run.outcome is Outcome.FAILED:  # SQLite stores any integer, PostgreSQL refuses it
        assert (held, state.cursor) == ({"good"}, {"at": 1})
    else:
        assert (held, state.cursor) == ({"good", "other", "bad"}, {"at": 2})


def test_a_crashing_source_is_a_failed_run_and_keeps_what_it_stored(one: Instance) -> None:
    def act(visit: Visit) -> None:
        keep(Page([entry("a")]))(visit)
        raise ZeroDivisionError("a bug")

    run = visit_source(one.tools, Scripted(act))
    assert run.outcome is Outcome.FAILED
    assert "ZeroDivisionError" in run.error
    with one.storage.read() as db:
        assert entries.held(db, "scripted", ["a"]) == {"a"}
        state = sources.state(db, "scripted")
    assert state is not None
    assert (state.failures, state.failing_since, state.outcome) == (1, run.started, "failed")


def test_an_ingest_error_is_the_runs_error(one: Instance) -> None:
    def act(visit: Visit) -> None:
        raise FetchError("https://example.org/x?secret=1", "timeout", "no answer in time")

    run = visit_source(one.tools, Scripted(act))
    assert (run.outcome, run.error) == (Outcome.FAILED, "example.org: no answer in time")


def test_failures_count_up_and_a_good_visit_clears_them(one: Instance) -> None:
    def fail(visit: Visit) -> None:
        visit.fail(visit.begin("all"), Outcome.STALE, "old")

    first = visit_source(one.tools, Scripted(fail))
    one.clock.at += timedelta(hours=2)
    visit_source(one.tools, Scripted(fail))
    with one.storage.read() as db:
        state = sources.state(db, "scripted")
    assert state is not None
    assert (state.failures, state.failing_since, state.error) == (2, first.started, "all: old")
    visit_source(one.tools, Scripted(keep(Page([entry("a")]))))
    with one.storage.read() as db:
        state = sources.state(db, "scripted")
    assert state is not None
    assert (state.failures, state.failing_since, state.error) == (0, None, "")
    assert state.last_new == state.last_success == one.clock.at


def test_a_source_is_visited_when_due_and_not_before(one: Instance) -> None:
    source = Scripted(keep(Page()))
    with one.storage.write() as db:
        sources.register(db, {"scripted": True}, one.clock.now())
    assert visit_if_due(one.tools, source) is not None
    assert visit_if_due(one.tools, source) is None
    one.clock.at += timedelta(hours=1)
    assert visit_if_due(one.tools, source) is not None


def test_a_source_that_is_being_visited_is_left_alone_by_the_schedule(one: Instance) -> None:
    with one.storage.write() as db:
        sources.register(db, {"scripted": True}, one.clock.now())
        assert isinstance(leases.claim(db, "source:scripted", "another machine|1||x", 60), Lease)
    assert visit_if_due(one.tools, Scripted(keep(Page()))) is None


def test_a_run_that_never_ended_is_closed_by_the_next(one: Instance) -> None:
    with one.storage.write() as db:
        sources.register(db, {"scripted": True}, one.clock.now())
        sources.begin_run(db, Run("scripted", one.clock.now()))
    visit_source(one.tools, Scripted(keep(Page())))
    with one.storage.read() as db:
        newest, older = sources.runs(db, "scripted")
    assert newest.outcome is Outcome.OK
    assert older.outcome is Outcome.FAILED
    assert "interrupted" in older.error


def test_a_visit_whose_lease_was_taken_over_writes_nothing_more(one: Instance) -> None:
    def act(visit: Visit) -> None:
        part = visit.begin("all")
        visit.keep(part, Page([entry("before")]))
        with one.storage.write() as db:  # as after an hour's sleep of this process
            db.exec_driver_sql("UPDATE leases SET expires_at = 0 WHERE name = 'source:scripted'")
            assert isinstance(leases.claim(db, "source:scripted", "another machine|1||x", 60), Lease)
        visit.keep(part, Page([entry("after")]))

    with pytest.raises(LeaseLost):
        visit_source(one.tools, Scripted(act))
    with one.storage.read() as db:
        assert entries.held(db, "scripted", ["before", "after"]) == {"before"}


def test_two_visits_of_one_source_wait_for_each_other(one: Instance) -> None:
    inside, most = [0], [0]
    lock = threading.Lock()

    def act(visit: Visit) -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        keep(Page([entry("a"), entry("b")]))(visit)
        with lock:
            inside[0] -= 1

    threads = [threading.Thread(target=visit_source, args=(one.tools, Scripted(act))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    with one.storage.read() as db:
        assert [r.outcome for r in sources.runs(db, "scripted")] == [Outcome.OK] * 4


def test_instants_of_the_ledger_are_the_instances_clock(one: Instance) -> None:
    one.clock.at = datetime(2026, 1, 30, 3, 4, 5, tzinfo=UTC)
    run = visit_source(one.tools, Scripted(keep(Page())))
    assert run.started == run.finished == datetime(2026, 1, 30, 3, 4, 5, tzinfo=UTC)


# ------------------------------------------------------------------ what is read in another process
def parsing(function: Callable[[bytes], object]) -> Callable[[Visit], None]:
    """A visit that reads an answer with the function."""

    def act(visit: Visit) -> None:
        visit.begin("all").outcome = Outcome.OK
        visit.parse(function, Answer("https://example.org/", 200, b"x", {}))

    return act


def test_a_bug_in_a_parse_is_an_internal_error_and_its_traceback_is_logged(one: Instance) -> None:
    with capture_logs() as logs:
        run = visit_source(one.tools, Scripted(parsing(calls.stumble)))
    assert run.outcome is Outcome.FAILED
    assert run.error == "internal error: ParserBug: KeyError: 'missing'"
    (crash,) = [line for line in logs if line["event"] == "visit_crashed"]
    assert crash["exc_info"]


def test_a_body_that_kills_its_reader_fails_its_visit_and_no_other(one: Instance) -> None:
    run = visit_source(one.tools, Scripted(parsing(calls.kill_itself)))
    assert (run.outcome, run.error) == (Outcome.FAILED, "the process that read the answer ended by signal 9")
    assert visit_source(one.tools, Scripted(parsing(calls.pid))).outcome is Outcome.OK


def test_a_visit_to_asked_dates_shows_in_the_health_and_moves_no_plan(one: Instance) -> None:
    source = Scripted(keep(Page([entry("a")])))
    with one.storage.write() as db:
        sources.register(db, {"scripted": True}, one.clock.now())
        before = sources.state(db, "scripted")
    run = visit_source(one.tools, source, Window(DAY))
    with one.storage.read() as db:
        state = sources.state(db, "scripted")
    assert before is not None
    assert state is not None
    assert (state.last_run, state.last_success, state.outcome) == (run.finished, run.finished, "ok")
    assert state.next_due == before.next_due
    assert state.failures == 0
