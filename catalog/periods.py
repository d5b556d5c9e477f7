"""Periods of announced dates: ISO weeks, days and months. No time zone: they are made of dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from catalog.errors import UsageError

_FORMS = "an ISO week (2026-W05), a day (2026-01-28) or a month (2026-01)"


@dataclass(frozen=True, slots=True)
class Period:
    """A run of days; `name` is how it is written."""

    name: str
    first: date
    last: date  # inclusive

    def __str__(self) -> str:
        return self.name

    @property
    def previous(self) -> Period:
        """The period of the same kind just before."""
        return _like(self, self.first - timedelta(days=1))

    @property
    def next(self) -> Period:
        """The period of the same kind just after."""
        return _like(self, self.last + timedelta(days=1))


def week_of(day: date) -> Period:
    """The ISO 8601 week that holds the day; its year is the year of its Thursday, so a week 53 exists in some years."""
    year, week, weekday = day.isocalendar()
    first = day - timedelta(days=weekday - 1)
    return Period(f"{year:04d}-W{week:02d}", first, first + timedelta(days=6))


def day_of(day: date) -> Period:
    """One day."""
    return Period(day.isoformat(), day, day)


def month_of(day: date) -> Period:
    """One calendar month."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Period(day.isoformat()[:7], first, last)


def default_period(today: date) -> Period:
    """The last complete week until Wednesday, then the running one."""
    running = week_of(today)
    return running.previous if today.isoweekday() <= 3 else running


def parse_period(text: str) -> Period:
    """The period that the text names, which has a period before and one after it; raises UsageError with the allowed forms."""
    try:
        found = _read(text)
        if found is not None and found.previous.first < found.first < found.next.first:
            return found
    except (ValueError, OverflowError):
        raise UsageError(f"no such period {text!r}: the calendar does not have it; write {_FORMS}") from None
    raise UsageError(f"unknown period {text[:40]!r}: write {_FORMS}")


def _read(text: str) -> Period | None:
    if m := re.fullmatch(r"([0-9]{4})-W([0-9]{2})", text):
        return week_of(date.fromisocalendar(int(m[1]), int(m[2]), 1))
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return day_of(date.fromisoformat(text))
    return month_of(date.fromisoformat(text + "-01")) if re.fullmatch(r"[0-9]{4}-[0-9]{2}", text) else None


def _like(period: Period, day: date) -> Period:
    if "W" in period.name:
        return week_of(day)
    return day_of(day) if len(period.name) == 10 else month_of(day)
