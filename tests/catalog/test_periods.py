"""Periods of announced dates: ISO weeks, days and months tile the calendar."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import UsageError
from catalog.periods import Period, day_of, default_period, month_of, parse_period, week_of

DAYS = st.dates(date(1000, 1, 1), date(9998, 12, 31))
KINDS = pytest.mark.parametrize("of", [week_of, day_of, month_of])


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-W05", date(2026, 1, 26), date(2026, 2, 1)),
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 4)),
        ("2020-W53", date(2020, 12, 28), date(2021, 1, 3)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-01-28", date(2026, 1, 28), date(2026, 1, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("0999-01", date(999, 1, 1), date(999, 1, 31)),
    ],
)
def test_a_period_by_its_name(text: str, first: date, last: date) -> None:
    period = parse_period(text)
    assert (period.first, period.last) == (first, last)
    assert str(period) == text


def test_a_year_has_a_week_53_or_not() -> None:
    with_53 = [year for year in range(2020, 2050) if week_of(date(year, 12, 28)).name.endswith("W53")]
    assert with_53 == [2020, 2026, 2032, 2037, 2043, 2048]
    assert parse_period("2026-W53").next.name == "2027-W01"
    assert parse_period("2027-W01").previous.name == "2026-W53"
    with pytest.raises(UsageError, match="2025-W53"):
        parse_period("2025-W53")


@pytest.mark.parametrize(
    "text",
    [
        "", "2026", "2026-W5", "2026-w05", "2026-W00", "2026-W54", "2026-13", "2026-00", "2026-02-30", "20260128",
        "2026-W05-1", " 2026-W05", "2026-W05\n", "٢٠٢٦-W05", "last week", "0001-01-01", "0001-01", "9999-12-31", "9999-W52",
        "9999-12", "0000-01", "x" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_period_is_refused_with_the_three_forms(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_period(text)
    message = str(refused.value)
    assert "\n" not in message
    assert len(message) < 250
    for form in ("2026-W05", "2026-01-28", "2026-01)"):
        assert form in message


@KINDS
@given(day=DAYS)
def test_every_day_is_in_one_period_and_its_neighbours_touch_it(of: Callable[[date], Period], day: date) -> None:
    period = of(day)
    assert period.first <= day <= period.last
    assert of(period.first) == of(period.last) == period
    assert period.next.first == period.last + timedelta(days=1)
    assert period.previous.last == period.first - timedelta(days=1)
    assert period.next.previous == period.previous.next == period


@KINDS
@given(day=DAYS)
def test_a_name_reads_back_and_sorts_by_time(of: Callable[[date], Period], day: date) -> None:
    period = of(day)
    assert parse_period(period.name) == period
    assert period.previous.name < period.name < period.next.name


@given(st.text(max_size=12) | st.from_regex(r"[0-9]{4}-W?[0-9]{2}(-[0-9]{2})?", fullmatch=True))
def test_any_text_is_a_period_with_neighbours_or_refused(text: str) -> None:
    try:
        period = parse_period(text)
    except UsageError:
        return
    assert period.name == text
    assert re.fullmatch(r"[0-9W-]+", text)
    assert period.previous.next == period.next.previous == period


@given(DAYS)
def test_the_default_is_the_last_complete_week_until_wednesday(today: date) -> None:
    period = default_period(today)
    if today.isoweekday() <= 3:
        assert period.last < today <= period.next.last
    else:
        assert period.first <= today <= period.last
