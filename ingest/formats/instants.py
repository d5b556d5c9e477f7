"""Days and hours as calls for papers and competitions write them, turned into UTC. Pure.

The zone is a word beside the hour: `AoE` (anywhere on earth, UTC-12), `UTC-7` or `GMT+02` (a fixed offset with the sign of ISO
8601, not that of POSIX), `PST` (the clock of California, whatever the season) or an IANA name.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

AOE = timezone(timedelta(hours=-12), "AoE")
_CLOCKS = {
    "pt": "America/Los_Angeles", "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "mt": "America/Denver",
    "mst": "America/Denver", "mdt": "America/Denver", "ct": "America/Chicago", "cdt": "America/Chicago",
    "et": "America/New_York", "est": "America/New_York", "edt": "America/New_York", "cet": "Europe/Paris",
    "cest": "Europe/Paris", "bst": "Europe/London", "jst": "Asia/Tokyo", "kst": "Asia/Seoul", "ist": "Asia/Kolkata",
}  # fmt: skip
_OFFSET = re.compile(r"(?:utc|gmt)\s*(?P<sign>[+\-\u2212])\s*(?P<hours>\d{1,2})(?::?(?P<minutes>[0-5]\d))?", re.I)
_WRITTEN = re.compile(r"(?P<day>\d{4}-\d\d?-\d\d?)(?:[ T]+(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?)?")
_IN_WORDS = re.compile(r"(?P<day>\d{1,2})\s+(?P<month>[A-Za-z]{3,9})\.?\s+(?P<year>\d{4})")
_MONTHS = {m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


@cache
def zone_of(text: str) -> tzinfo | None:
    """The zone of that name; AoE for none, as that is what calls for papers mean; None for a word that names no zone."""
    name = " ".join(text.split())
    if not name or name.casefold() in ("aoe", "anywhere on earth"):
        return AOE
    if name.casefold() in ("utc", "gmt", "z"):
        return UTC
    if m := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(m["hours"]), minutes=int(m["minutes"] or 0))
        return timezone(offset if m["sign"] == "+" else -offset) if offset < timedelta(hours=24) else None
    try:
        return ZoneInfo(_CLOCKS.get(name.casefold(), name))
    except (KeyError, ValueError, OSError):  # not found, no name, a folder
        return None


def instant(text: str, zone: str) -> tuple[datetime, bool] | None:
    """The instant in UTC of `2026-05-06 23:59:59` in the zone, and False; for a day without an hour its 00:00 UTC, and True.

    A zone that is not known leaves the day, so that nobody is told a wrong hour. None for what is no date.
    """
    m = _WRITTEN.fullmatch(text.strip())
    if m is None:
        return None
    found = zone_of(zone)
    try:
        day = datetime(*map(int, m["day"].split("-")), tzinfo=found or UTC)  # type: ignore[misc,arg-type]
        if m["hour"] is None or found is None:
            return day.replace(tzinfo=UTC), True
        hour, minute, second = int(m["hour"]), int(m["minute"]), int(m["second"] or 0)
        if hour == 24:  # the end of the day
            day, hour = day + timedelta(days=1), hour - 24
        return day.replace(hour=hour, minute=minute, second=min(second, 59)).astimezone(UTC), False
    except (ValueError, OverflowError):
        return None


def day_in_words(text: str) -> date | None:
    """The day of `1 Aug 2026`, also of one with more words behind it; None for another form."""
    m = _IN_WORDS.match(text.strip())
    month = _MONTHS.get(m["month"][:3].lower()) if m else None
    if m is None or month is None:
        return None
    try:
        return date(int(m["year"]), month, int(m["day"]))
    except ValueError:
        return None


def moment_of_day(day: date) -> datetime:
    """A day as a whole, where no hour is told: its 00:00 UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
