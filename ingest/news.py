"""What an entry tells of its work that deserves telling again: accepted, withdrawn, code, model and data, dates. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from catalog.entries import Detail, EntryData, Kind, Moment
from catalog.items import News
from ingest.derive import venue_label
from ingest.facts import facts_of

CLOSING_DAYS = 14  # before a deadline it is told that it comes near
_DATED = (Kind.DEADLINE, Kind.COMPETITION)
_CLOSES = ("submission", "deadline")


def news_of(before: EntryData | None, entry: EntryData, today: date) -> tuple[News, ...]:
    """All news of the entry; the store keeps the day on which each was told first.

    A new entry tells them on its announced day, and so does one that is only completed; a later version on its own day, a
    change without one today. A withdrawal is only news of what was held before.
    """
    day = _day(before, entry, today)
    out = [News(f.what, day, f.text, f.status) for f in facts_of(entry)]
    known = {n.text.casefold() for n in out}  # what lies there is better told by the abstract
    out += [News("code", day, at) for name, at in entry.about if name == "repository" and at.casefold() not in known]
    if entry.kind is Kind.PAPER and entry.venue and not entry.withdrawn:
        out.append(News("accepted", _accepted_on(entry, today), venue_label(entry), "confirmed"))
    if before is not None and entry.withdrawn and not before.withdrawn:
        out.append(News("withdrawn", _withdrawn_on(entry, today)))
    if entry.kind in _DATED:
        out += [*_moved(before, entry, today), *_closing(entry, today)]
    return tuple(out)


def _moved(before: EntryData | None, entry: EntryData, today: date) -> Iterator[News]:
    """The dates of a sort that are others than before, paired in their order; one that is added or left out is not moved."""
    dated = before.moments if before else ()
    for what in dict.fromkeys(m.what for m in dated):
        old = {said(m): m for m in dated if m.what == what}
        new = {said(m): m for m in entry.moments if m.what == what}
        gone, come = ([m for k, m in sorted(one.items()) if k not in other] for one, other in ((old, new), (new, old)))
        if len(gone) == len(come):
            for a, b in zip(gone, come, strict=True):
                yield News("moved", today, f"{what} from {said(a)} to {said(b)}", "later" if b.at > a.at else "earlier")


def _closing(entry: EntryData, today: date) -> Iterator[News]:
    """That a deadline comes near, told ahead for the day on which it is so."""
    for m in entry.moments:
        if m.what in _CLOSES and not entry.withdrawn:
            day = m.at.date() - timedelta(days=CLOSING_DAYS)
            yield News("closing", max(day, entry.announced or today), f"{m.what} {said(m)}")


def said(moment: Moment) -> str:
    """The instant to the minute, so that sources that differ in seconds say the same; the day where no hour is told."""
    return f"{moment.at:%Y-%m-%d}" if moment.whole_day else f"{moment.at:%Y-%m-%d %H:%M} UTC"


def _day(before: EntryData | None, entry: EntryData, today: date) -> date:
    first = entry.announced or today
    if before is None or before.detail is Detail.BRIEF:
        return first
    if entry.version > before.version and entry.updated is not None:
        return max(first, entry.updated.date())
    return today


def _accepted_on(entry: EntryData, today: date) -> date:
    """The day of the venue's entry, but not before the year of the edition: submissions to it may be public for months."""
    return min(today, max(entry.announced or today, date(entry.year or 1, 1, 1)))


def _withdrawn_on(entry: EntryData, today: date) -> date:
    """The day of the withdrawing version where the source lists it, else the day it was noticed."""
    last = entry.versions[-1] if entry.versions else None
    return last.at.date() if last and last.withdrawn and last.at else today
