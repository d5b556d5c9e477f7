"""arXiv against the replay server: complete over ten announcement days, once, and the same after a pause or under faults."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from catalog.outcomes import Outcome
from catalog.storage import entries
from tests.dumps import check_derived, differences, dump
from tests.instance import Instance, instance
from tests.replay import Replay, announcement_days, needs_replay, recorded, replay

pytestmark = [needs_replay, pytest.mark.replay, pytest.mark.slow]

DAYS = 10


def days() -> list[date]:
    """Ten announcement days in the middle of the recorded ones."""
    return announcement_days()[8 : 8 + DAYS]


def identities(one: Instance) -> dict[str, list[tuple[str, ...]]]:
    """Items, identifiers and latest versions, dates and instants aside."""
    rows = dump(one.storage, instants=False)
    return {
        "items": sorted((r[0],) for r in rows["items"]),
        "identifiers": rows["identifiers"],
        "versions": sorted((r[0], r[2], r[3]) for r in rows["entries"]),
    }


def live(one: Instance, wanted: set[str]) -> set[str]:
    """Those of the ids that are held."""
    with one.storage.read() as db:
        return entries.held(db, "arxiv", wanted)


def daily(one: Instance, server: Replay, chosen: list[date]) -> list[Outcome | None]:
    """Visit once on each of the days; returns the outcomes."""
    outcomes = []
    for day in chosen:
        server.put(day)
        one.clock.put(day)
        outcomes.append(one.visit().outcome)
    return outcomes


def test_ten_days_are_complete_and_a_second_pass_writes_nothing(migrated_url: str) -> None:
    chosen = days()
    with replay(chosen[0]) as server, instance(migrated_url, server.url, chosen[0]) as one:
        for day in chosen:
            server.put(day)
            one.clock.put(day)
            first = one.visit()
            assert first.outcome is Outcome.OK, first.error
            before = dump(one.storage)
            one.clock.put(day, 15)
            second = one.visit()
            assert second.outcome is Outcome.OK, second.error
            assert (second.counts.new, second.counts.revised) == (0, 0)
            assert differences(before, dump(one.storage)) == {}
        wanted = recorded(one.settings.categories, chosen[0], chosen[-1])
        assert len(wanted) > 1000
        assert live(one, wanted) == wanted
        check_derived(one.storage)


def test_one_visit_after_five_days_brings_what_daily_visits_bring(tmp_path: Path) -> None:
    chosen = days()
    with replay(chosen[0]) as server:
        with instance(f"sqlite:///{tmp_path}/daily.db", server.url, chosen[0]) as one:
            daily(one, server, chosen)
            every_day = identities(one)
        with instance(f"sqlite:///{tmp_path}/paused.db", server.url, chosen[0]) as other:
            daily(other, server, [*chosen[:4], chosen[-1]])
            paused = identities(other)
    # A paper that was announced and deleted within the pause has left no metadata anywhere.
    assert {k: (set(every_day[k]) - set(paused[k]), set(paused[k]) - set(every_day[k])) for k in paused} == {
        k: (set(), set()) for k in paused
    }


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_flaky_answers_give_the_same_in_the_end(tmp_path: Path, seed: int) -> None:
    chosen = days()[:4]
    with replay(chosen[0]) as server:
        with instance(f"sqlite:///{tmp_path}/calm.db", server.url, chosen[0]) as calm:
            daily(calm, server, chosen)
            wanted = identities(calm)
        server.faults("flaky", seed=seed, kinds=["503", "429", "reset", "truncate"], retry_after=0)
        with instance(f"sqlite:///{tmp_path}/flaky.db", server.url, chosen[0]) as shaken:
            daily(shaken, server, chosen)
            server.faults("none")
            shaken.visit()
            assert identities(shaken) == wanted


@pytest.mark.parametrize("seed", [1, 2, pytest.param(3, marks=pytest.mark.soak)])
def test_malformed_answers_lose_nothing_in_the_end_and_every_loss_is_counted(tmp_path: Path, seed: int) -> None:
    chosen = days()[:4]
    with replay(chosen[0]) as server:
        with instance(f"sqlite:///{tmp_path}/calm.db", server.url, chosen[0]) as calm:
            daily(calm, server, chosen)
            wanted = {row[0] for row in identities(calm)["items"]}
        server.faults("malformed", seed=seed)
        with instance(f"sqlite:///{tmp_path}/malformed.db", server.url, chosen[0]) as shaken:
            for day in chosen:
                server.put(day)
                shaken.clock.put(day)
                run = shaken.visit()
                c = run.counts
                assert c.seen == c.new + c.revised + c.unchanged + sum(c.rejected.values())
                if run.outcome is not Outcome.OK:
                    assert run.error
            server.faults("none")
            shaken.visit()
            shaken.visit()
            got = {row[0] for row in identities(shaken)["items"]}
            assert got == wanted
            check_derived(shaken.storage)
