"""What a reader has chosen, and when a digest is owed to them. Pure: no database, no mail.

A delivery is known by its period, never by its instant: a weekly reader is owed exactly one digest in each ISO week of their
own calendar, of the week before. An hour that a change of clocks leaves out is the first instant after it; of an hour that
comes twice, the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from catalog.errors import UnknownName, UsageError
from catalog.filters import FILTER_NAMES, Filter, check_words, parse_filter
from catalog.periods import Period, day_of, month_of, week_of
from catalog.taxonomy import Taxonomy

LATE = timedelta(hours=48)  # a digest that could not be sent in time is sent so long after it was owed, then not any more
_MISSED_NAMED = 10  # deliveries that were missed, each with a row of its own
_DAYS = timedelta(days=1)
_WORDS = re.compile(r'"[^"]*"|\S+')
#: What a standing choice can restrict: the dates are the period's.
CHOICE_NAMES = tuple(n for n in FILTER_NAMES if n not in ("since", "until"))
Pairs = tuple[tuple[str, str], ...]


class Cadence(StrEnum):
    """How often: of yesterday, of the last complete ISO week, of the last complete month."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"  # on the first such weekday of the month


class MailFormat(StrEnum):
    """What the mail holds."""

    HTML = "html"  # HTML and the same as text
    TEXT = "text"  # text only


@dataclass(frozen=True, slots=True)
class Choices:
    """What is sent to a reader, and when."""

    filter: Pairs = ()  # as `Filter.parameters` gives it
    cadence: Cadence = Cadence.WEEKLY
    weekday: int = 1  # ISO: 1 is Monday; of no meaning for a daily digest
    hour: int = 7  # 0 to 23, local
    zone: str = "UTC"  # IANA name
    format: MailFormat = MailFormat.HTML

    def as_dict(self) -> dict[str, Any]:
        """As the API tells it: the filter as parameters, those that may be repeated as lists."""
        told: dict[str, Any] = {}
        for name, value in self.filter:
            if name in ("q", "min_score"):
                told[name] = value
            else:
                told.setdefault(name, []).append(value)
        return {
            "filter": told, "cadence": self.cadence.value, "weekday": self.weekday, "hour": self.hour, "zone": self.zone,
            "format": self.format.value,
        }  # fmt: skip

    def as_json(self) -> str:
        """As it is kept."""
        return json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What was kept; nothing is checked anew."""
        told = json.loads(text)
        return cls(_pairs(told["filter"]), Cadence(told["cadence"]), told["weekday"], told["hour"], told["zone"],
                   MailFormat(told["format"]))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """A digest that is owed: from which instant (UTC), and of which period."""

    at: datetime
    period: Period


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed now: the delivery to make, those that are too old, and when the next one comes."""

    now: Due | None
    missed: tuple[Due, ...]  # newest first, at most ten
    following: datetime


# ------------------------------------------------------------------ reading
def parse_choices(given: Mapping[str, Any], taxonomy: Taxonomy, sources: Iterable[str], base: Choices = Choices()) -> Choices:
    """The choices of a JSON object, what it leaves out as in `base`; raises UsageError, which names the thing and the rule."""
    names = [f.name for f in fields(Choices)]
    for name in given:
        if name not in names:
            raise UnknownName("choice", str(name), names)
    out = base
    if "filter" in given:
        out = replace(out, filter=parse_standing(given["filter"], taxonomy, sources))
    if "cadence" in given:
        out = replace(out, cadence=Cadence(_one_of("cadence", given["cadence"], Cadence)))
    if "weekday" in given:
        out = replace(out, weekday=_number("weekday", given["weekday"], 1, 7, "1 is Monday"))
    if "hour" in given:
        out = replace(out, hour=_number("hour", given["hour"], 0, 23, "local time"))
    if "zone" in given:
        out = replace(out, zone=check_zone(given["zone"]))
    if "format" in given:
        out = replace(out, format=MailFormat(_one_of("format", given["format"], MailFormat)))
    return out


def parse_standing(given: Any, taxonomy: Taxonomy, sources: Iterable[str]) -> Pairs:
    """A filter that stands: without dates; raises UsageError."""
    if not isinstance(given, Mapping):
        raise UsageError('filter must be a JSON object such as {"topic": ["deep-learning"]}')
    asked: dict[str, list[str]] = {}
    for name, value in given.items():
        if name not in CHOICE_NAMES:
            raise UnknownName("filter", str(name), CHOICE_NAMES)
        values = value if isinstance(value, list) else [value]
        if len(values) > 60 or not all(isinstance(v, str | int | float) and not isinstance(v, bool) for v in values):
            raise UsageError(f"filter: {name} must be a text or a list of at most 60 texts")
        asked[name] = [check_words(str(v)) for v in values if str(v).strip()]
    return tuple(parse_filter({n: v for n, v in asked.items() if v}, taxonomy, sources).parameters())


def standing_filter(pairs: Pairs, taxonomy: Taxonomy, sources: Iterable[str]) -> Filter:
    """The filter of kept parameters; what does not exist any more, such as a topic of an older taxonomy, is left out."""
    known = list(sources)
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        try:
            parse_filter({name: [value]}, taxonomy, known)
        except UsageError:
            continue
        given.setdefault(name, []).append(value)
    return parse_filter(given, taxonomy, known)


def split_words(q: str) -> tuple[str, str]:
    """A search text as words that shall occur and words that shall not."""
    parts = re.findall(r'-?(?:\w+:)?"[^"]*"?|\S+', q)
    return " ".join(p for p in parts if not p.startswith("-")), " ".join(p[1:] for p in parts if p.startswith("-"))


def join_words(wanted: str, refused: str) -> str:
    """The search text of words that shall occur and words that shall not."""
    minus = [f"-{w.lstrip('-')}" for w in _WORDS.findall(refused) if w.lstrip("-")]
    return " ".join([*wanted.split(), *minus])


@cache
def zones() -> tuple[str, ...]:
    """The zones that can be chosen, by name."""
    return tuple(sorted(z for z in available_timezones() if z != "localtime" and not z.startswith(("posix", "right"))))


def check_zone(name: Any) -> str:
    """The zone when there is one of this name; raises UsageError with the nearest."""
    if not isinstance(name, str) or name not in zones():
        raise UnknownName("zone", str(name)[:60], zones())
    return name


def _pairs(told: Mapping[str, Any]) -> Pairs:
    return tuple((n, v) for n in CHOICE_NAMES if n in told for v in (told[n] if isinstance(told[n], list) else [told[n]]))


def _one_of(name: str, value: Any, allowed: type[StrEnum]) -> str:
    known = [one.value for one in allowed]
    if value not in known:
        raise UnknownName(name, str(value)[:40], known)
    return str(value)


def _number(name: str, value: Any, least: int, most: int, means: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,2}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name} must be a whole number from {least} to {most} ({means})")
    return value


# ------------------------------------------------------------------ when
def instant_of(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """The UTC instant of an hour of a local day: the first of two; where the clocks leave it out, the first that follows."""
    local = datetime.combine(day, time(hour), zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return at
    # In a gap fold=0 reads the clock as it was before, which lies after the change, and fold=1 the other way round.
    before, after = local.replace(fold=1).astimezone(UTC), at
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == old else (before, middle)
    return after.replace(microsecond=0)


def next_due(choices: Choices, after: datetime) -> Due:
    """The first delivery that is owed later than this instant."""
    zone = ZoneInfo(choices.zone)
    return next(d for d in _dues(choices, zone, after.astimezone(zone).date() - _DAYS, 1) if d.at > after)


def latest_due(choices: Choices, now: datetime) -> Due:
    """The last delivery that was owed at this instant or before it."""
    zone = ZoneInfo(choices.zone)
    return next(d for d in _dues(choices, zone, now.astimezone(zone).date() + _DAYS, -1) if d.at <= now)


def owed(choices: Choices, since: datetime, now: datetime, changed: datetime) -> Owed:
    """What is owed from `since` on; the newest counts, within 48 hours of its instant or of a change of the choices."""
    zone = ZoneInfo(choices.zone)
    dues: list[Due] = []
    for due in _dues(choices, zone, now.astimezone(zone).date() + _DAYS, -1):
        if due.at < since or len(dues) > _MISSED_NAMED:
            break
        if due.at <= now:
            dues.append(due)
    following = next_due(choices, now).at
    if dues and now - max(dues[0].at, changed) <= LATE:
        return Owed(dues[0], tuple(dues[1:]), following)
    return Owed(None, tuple(dues), following)


def _dues(choices: Choices, zone: ZoneInfo, start: date, step: int) -> Iterator[Due]:
    """Deliveries day by day from a local day on, forward or backward."""
    day = start
    while True:
        if choices.cadence is Cadence.DAILY:
            yield Due(instant_of(day, choices.hour, zone), day_of(day - _DAYS))
        elif day.isoweekday() == choices.weekday:
            if choices.cadence is Cadence.WEEKLY:
                yield Due(instant_of(day, choices.hour, zone), week_of(day).previous)
            elif day.day <= 7:
                yield Due(instant_of(day, choices.hour, zone), month_of(day).previous)
        day += step * _DAYS


def in_words(choices: Choices) -> str:
    """When it is sent, as a reader says it: `every Monday at 07:00 (Europe/Berlin)`."""
    names: Sequence[str] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    day = names[choices.weekday - 1]
    often = {Cadence.DAILY: "every day", Cadence.WEEKLY: f"every {day}", Cadence.MONTHLY: f"on the first {day} of each month"}
    return f"{often[choices.cadence]} at {choices.hour:02d}:00 ({choices.zone})"
