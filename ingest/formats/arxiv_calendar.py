"""arXiv's announcement calendar: when a submission becomes public (info.arxiv.org/help/availability). Pure.

Submissions close at 14:00 US Eastern; announcements are made at 20:00 on Sunday to Thursday except holidays, and the feeds
carry the date of the following day.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_CLOSES = time(14, 0)
#: Evenings without announcement, as published for 2026; other years have the fixed ones only.
_HOLIDAYS_2026 = {(1, 1), (1, 19), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25), (12, 29), (12, 31)}
_FIXED = {(1, 1), (12, 25)}


def is_holiday(evening: date) -> bool:
    """True for an evening that has no announcement although its weekday would."""
    return (evening.month, evening.day) in (_HOLIDAYS_2026 if evening.year == 2026 else _FIXED)


def announcement_day(submitted: datetime) -> date:
    """The date that the feeds carry for a paper submitted then, moderation aside; `submitted` is aware."""
    local = submitted.astimezone(EASTERN)
    closes = local.date() if local.time() < _CLOSES else local.date() + timedelta(days=1)
    while closes.weekday() > 4:
        closes += timedelta(days=1)
    evening = closes if closes.weekday() < 4 else closes + timedelta(days=2)
    while evening.weekday() in (4, 5) or is_holiday(evening):
        evening += timedelta(days=1)
    return evening + timedelta(days=1)


def expects_batch(day: date) -> bool:
    """True when the feeds of this date should carry an announcement."""
    evening = day - timedelta(days=1)
    return evening.weekday() not in (4, 5) and not is_holiday(evening)


def feed_day(now: datetime) -> date:
    """The date that the daily feeds carry now: they turn over at midnight US Eastern."""
    return now.astimezone(EASTERN).date()


def next_feed(now: datetime) -> datetime:
    """The next time at which a new daily feed can be asked for: 00:20 US Eastern of the next date with an announcement."""
    local = now.astimezone(EASTERN)
    day = local.date() if local.time() < time(0, 20) else local.date() + timedelta(days=1)
    while not expects_batch(day):
        day += timedelta(days=1)
    return datetime.combine(day, time(0, 20), EASTERN).astimezone(now.tzinfo)
