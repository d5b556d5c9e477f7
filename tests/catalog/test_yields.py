"""Which visits are warned of: short answers and sources that stand still, and none of the ordinary quiet."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from catalog.outcomes import Counts, Outcome, Part, Run
from catalog.yields import Yield, warning, yield_of

START = datetime(2026, 1, 1, 6, tzinfo=UTC)
HOLIDAYS = {date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 5, 25), date(2026, 6, 19), date(2026, 7, 3),
            date(2026, 11, 26), date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 31)}  # fmt: skip


def alarms(visits: Sequence[Yield]) -> list[int]:
    """Days, counted from the start, on which a visit left a warning behind."""
    return [(one.at - START).days for n, one in enumerate(visits, 1) if warning(visits[:n], one.at)]


def daily(days: int, size: Callable[[datetime], int], fresh: Callable[[datetime], int], each: timedelta) -> list[Yield]:
    """Visits every so often."""
    at = [START + each * n for n in range(int(timedelta(days=days) / each))]
    return [Yield(t, size(t), fresh(t)) for t in at]


def weekday_papers(at: datetime) -> int:
    return 0 if at.weekday() >= 5 or at.date() in HOLIDAYS else 700 + at.day * 10


def test_a_year_of_a_source_that_rests_on_weekends_and_holidays_has_no_alarm() -> None:
    visits = daily(365, weekday_papers, weekday_papers, timedelta(days=1))
    assert alarms(visits) == []


def test_a_set_that_never_changes_has_no_alarm() -> None:
    assert alarms(daily(200, lambda _: 1008, lambda at: 1008 if at == START else 0, timedelta(days=1))) == []


def test_a_conference_that_fills_up_for_weeks_and_then_stands_has_no_alarm() -> None:
    def held(at: datetime) -> int:
        return min(21, (at - START).days) * 100

    assert alarms(daily(120, held, lambda at: 100 if at < START + timedelta(days=21) else 0, timedelta(hours=12))) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_feed_that_is_mostly_unchanged_has_no_alarm(seed: int) -> None:
    rng = random.Random(seed)
    posts = {t: rng.randint(1, 3) if rng.random() < 0.1 else 0 for t in (START + timedelta(hours=6) * n for n in range(800))}
    assert alarms(daily(200, lambda at: 30 if posts[at] else 0, lambda at: posts[at], timedelta(hours=6))) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_busy_feed_with_quiet_weekends_has_no_alarm(seed: int) -> None:
    rng = random.Random(seed)

    def size(at: datetime) -> int:
        return 0 if at.weekday() >= 5 else rng.randint(20, 60)

    assert alarms(daily(180, size, lambda at: size(at) // 4, timedelta(hours=3))) == []


def test_a_layout_that_changed_is_told_within_five_days_and_no_more_once_it_is_mended() -> None:
    broken, mended = START + timedelta(days=60), START + timedelta(days=75)

    def size(at: datetime) -> int:
        return 3 if broken <= at < mended else 1008

    told = alarms(daily(120, size, lambda at: 0, timedelta(days=1)))
    assert told[0] <= 65
    assert told == list(range(told[0], 75))


def test_an_empty_answer_of_a_source_that_never_was_empty_is_told() -> None:
    visits = [Yield(START + timedelta(days=n), 50, 0) for n in range(20)]
    visits += [Yield(START + timedelta(days=20 + n), 0, 0) for n in range(5)]
    assert warning(visits, visits[-1].at) == "gives 0 entries a visit, usually 50, in the last 5 visits that ended well"


def test_a_single_odd_visit_is_not_told() -> None:
    visits = [Yield(START + timedelta(days=n), 50, 0) for n in range(20)]
    assert warning([*visits, Yield(START + timedelta(days=20), 0, 0)], START + timedelta(days=20)) == ""


def test_a_source_that_is_visited_every_two_weeks_is_judged_by_its_last_two_visits() -> None:
    visits = [Yield(START + timedelta(days=14 * n), 400 if n < 5 else 2, 0) for n in range(7)]
    assert warning(visits[:6], visits[5].at) == ""
    assert warning(visits, visits[6].at).startswith("gives 2 entries a visit, usually 400")


def test_few_visits_and_small_numbers_say_nothing() -> None:
    young = [Yield(START + timedelta(days=n), 100 if n < 3 else 0, 0) for n in range(8)]
    assert warning(young, young[-1].at) == ""
    small = [Yield(START + timedelta(days=n), 9 if n < 20 else 0, 0) for n in range(30)]
    assert alarms(small) == []


def test_a_regular_source_that_is_frozen_is_told_after_a_week_though_its_answers_are_full() -> None:
    frozen = START + timedelta(days=60)
    told = alarms(daily(80, lambda _: 100, lambda at: 0 if at >= frozen else 12, timedelta(days=1)))
    assert 64 <= told[0] <= 67
    assert warning([], START) == ""


def test_what_a_run_gave_is_what_its_parts_announced_or_else_read() -> None:
    run = Run("x", START, outcome=Outcome.OK, counts=Counts(12, 2, 1, 9))
    run.parts = [Part("unchanged", Outcome.OK, Counts(), 1000, 1000), Part("read", Outcome.OK, Counts(12, 2, 1, 9))]
    assert yield_of(run) == Yield(START, 1012, 3)


def test_other_years_and_dates_that_were_asked_for_by_hand_say_nothing() -> None:
    def visit(day: int, **parts: int) -> Yield:
        return Yield(START + timedelta(days=day), sum(parts.values()), 0, parts)

    first = [visit(0, old=1037), visit(1, old=583), visit(2, volumes=0), visit(3, volumes=0), visit(9, volumes=0)]
    assert warning(first, first[-1].at) == ""
    past = [visit(n, this=400, last=500) for n in range(6)]
    assert warning([*past, visit(10, this=400), visit(11, this=400)], START + timedelta(days=11)) == ""
    assert warning([*past, visit(10, this=0), visit(11, this=0)], START + timedelta(days=11)).startswith("gives 0 entries")
