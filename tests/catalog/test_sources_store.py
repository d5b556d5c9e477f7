"""What settling a visit notes on its source: failures, warnings, and whom the operator is still to be told of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from catalog.outcomes import Counts, Outcome, Part, Run
from catalog.storage import Storage, sources
from catalog.storage.sources import SourceState

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
THREE_DAYS = timedelta(days=3)


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    made = Storage(migrated_url, upgrade=False)
    with made.write() as db:
        sources.register(db, {"pmlr": True}, START)
    yield made
    made.close()


def visit(storage: Storage, day: float, outcome: Outcome = Outcome.OK, listed: int = 500) -> SourceState:
    at = START + timedelta(days=day)
    run = Run("pmlr", at)
    with storage.write() as db:
        run.id = sources.begin_run(db, run)
        run.finished, run.outcome, run.error = at, outcome, "" if outcome.good else "no answer"
        run.parts = [Part("v97", outcome, Counts(), listed, listed)]
        sources.put_run(db, run)
        sources.settle(db, run, at + timedelta(days=1))
        state = sources.state(db, "pmlr")
    assert state is not None
    return state


def untold(storage: Storage, day: float) -> tuple[list[str], list[str]]:
    with storage.read() as db:
        dead, well = sources.untold(db, START + timedelta(days=day), THREE_DAYS)
    return [one.name for one in dead], [one.name for one in well]


def tell(storage: Storage, day: float) -> None:
    with storage.write() as db:
        sources.note_told(db, *sources.untold(db, START + timedelta(days=day), THREE_DAYS), START + timedelta(days=day))


def test_a_source_that_gives_little_is_warned_of_until_it_gives_enough(storage: Storage) -> None:
    for day in range(20):
        assert visit(storage, day).warning == ""
    states = [visit(storage, 20 + n, Outcome.EMPTY, 0) for n in range(8)]
    first = next(n for n, state in enumerate(states) if state.warning)
    assert first <= 5
    assert states[-1].warning.startswith("gives 0 entries a visit, usually 500")
    assert states[-1].warned_since == START + timedelta(days=20 + first)
    mended = visit(storage, 28)
    assert (mended.warning, mended.warned_since) == ("", None)


def test_a_failure_leaves_the_warning_as_it_is(storage: Storage) -> None:
    for day in range(20):
        visit(storage, day)
    before = [visit(storage, 20 + n, Outcome.EMPTY, 0) for n in range(8)][-1]
    assert before.warning
    failed = visit(storage, 28, Outcome.FAILED, 0)
    assert (failed.warning, failed.warned_since) == (before.warning, before.warned_since)


def test_failures_alone_make_no_warning(storage: Storage) -> None:
    for day in range(20):
        visit(storage, day)
    assert {visit(storage, 20 + n, Outcome.FAILED, 0).warning for n in range(10)} == {""}


def test_a_source_visited_once_a_month_is_judged_by_older_runs(storage: Storage) -> None:
    for n in range(6):
        visit(storage, 30 * n)
    assert visit(storage, 180, Outcome.EMPTY, 0).warning == ""
    assert visit(storage, 210, Outcome.EMPTY, 0).warning.startswith("gives 0 entries a visit, usually 500")


def test_a_source_that_fails_for_three_days_is_to_be_told_once_and_once_more_when_it_is_well(storage: Storage) -> None:
    visit(storage, 0)
    for day in (1, 2, 3):
        visit(storage, day, Outcome.FAILED)
    assert untold(storage, 3.9) == ([], [])
    assert untold(storage, 4) == (["pmlr"], [])
    tell(storage, 4)
    visit(storage, 5, Outcome.PARTIAL)
    assert untold(storage, 20) == ([], [])
    visit(storage, 21)
    assert untold(storage, 21) == ([], ["pmlr"])
    tell(storage, 21)
    assert untold(storage, 22) == ([], [])
    visit(storage, 22, Outcome.FAILED)
    assert untold(storage, 26) == (["pmlr"], [])


def test_a_source_that_is_off_or_not_configured_is_not_told_of(storage: Storage) -> None:
    visit(storage, 0, Outcome.FAILED)
    with storage.write() as db:
        sources.enable(db, "pmlr", False)
    assert untold(storage, 10) == ([], [])
    with storage.write() as db:
        sources.enable(db, "pmlr", True)
    assert untold(storage, 10) == (["pmlr"], [])
    state = visit(storage, 11, Outcome.NOT_CONFIGURED)
    assert (state.failures, state.failing_since) == (0, None)
    assert untold(storage, 30) == ([], [])
