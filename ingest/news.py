"""What an entry tells of its work that deserves telling again: accepted, withdrawn, code, model and data. Pure."""

from __future__ import annotations

from datetime import date

from catalog.entries import Detail, EntryData, Kind
from catalog.items import News
from ingest.derive import venue_label
from ingest.facts import facts_of


def news_of(before: EntryData | None, entry: EntryData, today: date) -> tuple[News, ...]:
    """All news of the entry; the store keeps the day on which each was told first.

    A new entry tells them on its announced day, and so does one that is only completed; a later version on its own day, a
    change without one today. A withdrawal is only news of what was held before.
    """
    day = _day(before, entry, today)
    out = [News(f.what, day, f.text, f.status) for f in facts_of(entry)]
    if entry.kind is Kind.PAPER and entry.venue and not entry.withdrawn:
        out.append(News("accepted", _accepted_on(entry, today), venue_label(entry), "confirmed"))
    if before is not None and entry.withdrawn and not before.withdrawn:
        out.append(News("withdrawn", _withdrawn_on(entry, today)))
    return tuple(out)


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
