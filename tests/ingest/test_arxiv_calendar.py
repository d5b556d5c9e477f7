from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.arxiv_calendar import EASTERN, announcement_day, expects_batch, feed_day, is_holiday, next_feed

#: Submission in New York, and the date under which it is announced.
DAYS = {
    "a second before the cut is announced the same evening": ("2026-03-02T13:59:59", "2026-03-03"),
    "the cut itself is the next day's": ("2026-03-02T14:00:00", "2026-03-04"),
    "a morning belongs to that day's cut": ("2026-03-03T09:00:00", "2026-03-04"),
    "Thursday before the cut is out on Friday": ("2026-03-05T13:00:00", "2026-03-06"),
    "Thursday after the cut waits for Sunday evening": ("2026-03-05T14:00:00", "2026-03-09"),
    "Friday before the cut is out on Monday": ("2026-03-06T13:59:59", "2026-03-09"),
    "Friday after the cut is out on Tuesday": ("2026-03-06T14:00:00", "2026-03-10"),
    "Saturday is out on Tuesday": ("2026-03-07T12:00:00", "2026-03-10"),
    "Sunday is out on Tuesday, summer time or not": ("2026-03-08T12:00:00", "2026-03-10"),
    "midnight after Thursday is Friday": ("2026-03-06T00:00:00", "2026-03-09"),
    "no announcement on the evening of Martin Luther King's day": ("2026-01-19T10:00:00", "2026-01-21"),
    "what came before that holiday is out before it": ("2026-01-16T10:00:00", "2026-01-19"),
    "Thanksgiving moves Thursday's to Sunday evening": ("2026-11-26T10:00:00", "2026-11-30"),
    "New Year's day 2026 was a Thursday": ("2026-01-01T10:00:00", "2026-01-05"),
    "the last days of December have two evenings without": ("2026-12-29T10:00:00", "2026-12-31"),
    "over New Year": ("2026-12-31T10:00:00", "2027-01-04"),
    "Christmas of any year has none": ("2023-12-25T10:00:00", "2023-12-27"),
    "other years know only the fixed holidays": ("2025-01-20T10:00:00", "2025-01-21"),
}


@pytest.mark.parametrize(("submitted", "announced"), DAYS.values(), ids=DAYS.keys())
def test_a_submission_is_announced(submitted: str, announced: str) -> None:
    at = datetime.fromisoformat(submitted).replace(tzinfo=EASTERN)
    assert announcement_day(at) == date.fromisoformat(announced)
    assert announcement_day(at.astimezone(UTC)) == date.fromisoformat(announced)


@pytest.mark.parametrize(
    ("instant", "announced"),
    [
        pytest.param("2026-03-06T18:59:59", "2026-03-09", id="in winter the cut is 19:00 UTC"),
        pytest.param("2026-03-06T19:00:00", "2026-03-10", id="and not a second later"),
        pytest.param("2026-03-09T17:59:59", "2026-03-10", id="in summer it is 18:00 UTC"),
        pytest.param("2026-03-09T18:00:00", "2026-03-11", id="from the Monday after the change"),
        pytest.param("2026-11-02T18:30:00", "2026-11-03", id="and 19:00 again in November"),
    ],
)
def test_the_cut_follows_new_york_through_the_change_of_clocks(instant: str, announced: str) -> None:
    assert announcement_day(datetime.fromisoformat(instant).replace(tzinfo=UTC)) == date.fromisoformat(announced)


@given(st.datetimes(datetime(1991, 8, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
def test_announcements_fall_on_a_weekday_with_one_after_the_submission(submitted: datetime) -> None:
    day = announcement_day(submitted)
    assert day.weekday() < 5
    assert expects_batch(day)
    assert not is_holiday(day - timedelta(days=1))
    local = submitted.astimezone(EASTERN).date()
    assert timedelta(days=1) <= day - local <= timedelta(days=9)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    st.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_who_submits_later_is_never_announced_earlier(submitted: datetime, later: timedelta) -> None:
    assert announcement_day(submitted) <= announcement_day(submitted + later)


def test_a_year_has_a_batch_on_every_weekday_but_those_after_holidays() -> None:
    days = [date(2026, 1, 2) + timedelta(days=n) for n in range(365)]
    missing = [d for d in days if d.weekday() < 5 and not expects_batch(d)]
    weekday_holidays = [(1, 1), (1, 19), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25), (12, 29), (12, 31)]
    evenings = [date(2026, m, d) for m, d in weekday_holidays]
    assert missing == [e + timedelta(days=1) for e in evenings if e.weekday() not in (4, 5)]
    assert not any(expects_batch(d) for d in days if d.weekday() > 4)


@pytest.mark.parametrize(
    ("now", "day"),
    [("2026-03-03T04:59:59", "2026-03-02"), ("2026-03-03T05:00:00", "2026-03-03"), ("2026-07-03T04:00:00", "2026-07-03")],
)
def test_the_feeds_turn_over_at_midnight_in_new_york(now: str, day: str) -> None:
    assert feed_day(datetime.fromisoformat(now).replace(tzinfo=UTC)) == date.fromisoformat(day)


NEXT = {
    "before today's feed it is today's": ("2026-03-03T00:10:00", "2026-03-03T00:20:00"),
    "at its minute it is tomorrow's": ("2026-03-03T00:20:00", "2026-03-04T00:20:00"),
    "on a Friday it is Monday's": ("2026-03-06T12:00:00", "2026-03-09T00:20:00"),
    "on a Saturday it is Monday's": ("2026-03-07T12:00:00", "2026-03-09T00:20:00"),
    "a holiday's feed is passed over": ("2026-01-19T12:00:00", "2026-01-21T00:20:00"),
    "over a holiday and a weekend": ("2026-01-01T12:00:00", "2026-01-05T00:20:00"),
}


@pytest.mark.parametrize(("now", "then"), NEXT.values(), ids=NEXT.keys())
def test_the_next_feed(now: str, then: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=EASTERN).astimezone(UTC)
    found = next_feed(at)
    assert found.tzinfo is UTC
    assert found.astimezone(EASTERN).replace(tzinfo=None) == datetime.fromisoformat(then)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
def test_the_next_feed_lies_ahead_and_brings_a_batch(now: datetime) -> None:
    then = next_feed(now)
    assert timedelta(0) < then - now <= timedelta(days=8)
    assert expects_batch(feed_day(then))
    assert then.astimezone(EASTERN).strftime("%H:%M") == "00:20"
