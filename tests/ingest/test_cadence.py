"""When sources are visited again: bounds, spread, and the way back after failures."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catalog.outcomes import Outcome, Run
from ingest.cadence import FIRST_RETRY, SPREAD, Cadence
from ingest.source import History

NOW = datetime(2026, 1, 29, 12, tzinfo=UTC)
DAILY = Cadence(timedelta(days=1), timedelta(days=14))

durations = st.timedeltas(timedelta(minutes=30), timedelta(days=60))
cadences = st.tuples(durations, durations).map(lambda pair: Cadence(min(pair), max(pair)))
names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20)
quiet = st.one_of(st.none(), st.timedeltas(timedelta(days=-400), timedelta(days=4000)))


def ended(outcome: Outcome) -> Run:
    return Run("x", NOW, finished=NOW, outcome=outcome)


def wait(cadence: Cadence, name: str, outcome: Outcome, failures: int = 0, since: timedelta | None = None) -> timedelta:
    """How long until the next visit, when the last news is `since` ago."""
    history = History(failures, None if since is None else NOW - since)
    return cadence.next_due(name, NOW, ended(outcome), history) - NOW


@given(cadences, names, st.sampled_from([Outcome.OK, Outcome.EMPTY, Outcome.NOT_CONFIGURED]), quiet)
def test_a_good_visit_is_never_followed_sooner_than_the_shortest_nor_much_later_than_the_longest(
    cadence: Cadence, name: str, outcome: Outcome, since: timedelta | None
) -> None:
    assert cadence.shortest <= wait(cadence, name, outcome, 0, since) <= cadence.longest * (1 + SPREAD)


@given(cadences, names, st.sampled_from([Outcome.FAILED, Outcome.PARTIAL, Outcome.STALE]), st.integers(1, 10_000), quiet)
def test_a_failure_waits_a_quarter_of_an_hour_or_more_and_never_much_more_than_the_longest(
    cadence: Cadence, name: str, outcome: Outcome, failures: int, since: timedelta | None
) -> None:
    waited = wait(cadence, name, outcome, failures, since)
    assert min(FIRST_RETRY, cadence.longest) <= waited <= cadence.longest * (1 + SPREAD)


@given(cadences, names, st.integers(1, 50))
def test_each_failure_waits_at_least_as_long_as_the_one_before(cadence: Cadence, name: str, failures: int) -> None:
    assert wait(cadence, name, Outcome.FAILED, failures) <= wait(cadence, name, Outcome.FAILED, failures + 1)


@given(names, st.integers(0, 400), st.integers(0, 400))
def test_what_has_been_quiet_longer_is_visited_less_often(name: str, one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert wait(DAILY, name, Outcome.OK, 0, timedelta(days=few)) <= wait(DAILY, name, Outcome.OK, 0, timedelta(days=many))


@given(cadences, names, st.integers(1, 100))
def test_after_one_good_visit_the_failures_before_are_forgotten(cadence: Cadence, name: str, failures: int) -> None:
    wait(cadence, name, Outcome.FAILED, failures)
    assert wait(cadence, name, Outcome.OK, 0, timedelta(0)) <= cadence.shortest * (1 + SPREAD)


def test_failures_double_from_a_quarter_of_an_hour_to_the_longest() -> None:
    waits = [wait(DAILY, "pmlr", Outcome.FAILED, n) for n in range(1, 14)]
    first = waits[0]
    assert FIRST_RETRY <= first <= FIRST_RETRY * (1 + SPREAD)
    assert [round(w / first) for w in waits[:10]] == [2**n for n in range(10)]
    assert waits[-1] == waits[-2] <= DAILY.longest * (1 + SPREAD)


def test_a_thousand_sources_never_start_together() -> None:
    minutes = Counter(wait(DAILY, f"feed:{n}", Outcome.OK, 0, timedelta(0)) // timedelta(minutes=1) for n in range(1000))
    assert len(minutes) > 250  # of 288
    assert max(minutes.values()) <= 15


def test_the_same_visit_is_always_followed_by_the_same_plan() -> None:
    assert wait(DAILY, "cvf", Outcome.OK) == wait(Cadence(DAILY.shortest, DAILY.longest), "cvf", Outcome.OK)
    assert wait(DAILY, "cvf", Outcome.OK) != wait(DAILY, "acl", Outcome.OK)


def test_another_day_has_another_spread() -> None:
    waits = {
        DAILY.next_due("cvf", at, ended(Outcome.OK), History(0, at)) - at for at in (NOW + timedelta(days=n) for n in range(9))
    }
    assert len(waits) == 9
