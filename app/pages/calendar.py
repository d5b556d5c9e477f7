"""The pages of what lies ahead: deadlines, competitions and events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from app import phrases
from app.context import Context
from app.pages.views import Moment, Page, Words, known_sources, said_otherwise, shown_date, told_apart
from catalog import dates
from catalog.dates import CLOSE, disagreements, next_of
from catalog.entries import Kind
from catalog.filters import Filter, Listing, make_cursor, parse_filter, read_cursor
from catalog.items import Item, News
from catalog.storage import calendar as stored_calendar
from catalog.storage import sources as stored_sources
from catalog.taxonomy import Topic

_PAGE = 60
_FRESH = timedelta(days=14)  # for so long an item is new, and a move is told beside it


@dataclass(frozen=True, slots=True)
class Named:
    """What a page of the calendar says of its kind."""

    key: str
    title: str
    lead: str
    soon: str
    empty: str
    facts: tuple[tuple[str, str], ...]  # names of `about`, and the word before each


@dataclass(frozen=True, slots=True)
class Row:
    """An item with its next date."""

    item: Item
    what: str
    at: Moment
    left: str
    said: str
    rest: tuple[tuple[str, Moment], ...]  # what comes after it
    facts: tuple[tuple[str, str], ...]
    topics: tuple[Topic, ...]
    sources: tuple[str, ...]
    new: bool
    moved: tuple[News, ...]
    differ: tuple[tuple[str, str], ...]  # sort of date, and who says what
    soon: bool


_PAGES = {
    Kind.DEADLINE: Named(
        "deadlines", "Deadlines", "Until when papers can be sent to conferences, the soonest first.", "Within 14 days",
        "No deadline is ahead.", (("dates", ""), ("place", ""), ("ranks", "")),
    ),
    Kind.COMPETITION: Named(
        "competitions", "Competitions", "Open competitions, the one that closes soonest first.", "Closing within 14 days",
        "No competition is open.",
        (("platform", ""), ("prize", "prize"), ("metric", "metric"), ("teams", "teams"), ("category", ""), ("sponsor", "by")),
    ),
    Kind.EVENT: Named(
        "events", "Events", "Meetups, webinars and schools, the soonest first.", "Within 14 days", "No event is ahead.",
        (("place", ""), ("organizer", "by"), ("online", "")),
    ),
}  # fmt: skip


def view_of(kind: Kind) -> Callable[[Context, Request], Page]:
    """The view of a kind's page."""

    def view(context: Context, request: Request) -> Page:
        """Items of the kind that lie ahead, the soonest first, those of the next 14 days apart."""
        named, words, now = _PAGES[kind], Words.of(request), context.clock.now()
        cursor = words.one("cursor")
        after = read_cursor(cursor, "soonest") if cursor else None
        with context.storage.read() as db:
            filter = parse_filter(words.given, context.taxonomy, known_sources(stored_sources.states(db), words))
            listing = Listing(filter, limit=_PAGE, after=after, fields=("moments", "entries", "news", "signals"))
            found, more = stored_calendar.soonest(db, kind, listing, now)
            ahead = stored_calendar.count_ahead(db, kind, filter, now)
        rows = [_row(context, named, item, now) for item in found]
        data = {
            "nav": named.key, "named": named, "ahead": ahead, "first": after is None,
            "groups": _groups(named, rows), "areas": _choices(context, filter), "pairs": filter.parameters(),
            "next": make_cursor(more, "soonest") if more else "",
        }  # fmt: skip
        return Page("calendar.html", data)

    return view


def _groups(named: Named, rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    found = [(named.soon, [r for r in rows if r.soon]), ("Later", [r for r in rows if not r.soon])]
    return [(name, some) for name, some in found if some]


def _choices(context: Context, filter: Filter) -> list[tuple[str, str, bool]]:
    """The areas that a reader may ask for: slug, name, and whether it is chosen."""
    return [(a.slug, a.name, a.slug in filter.areas) for a in context.taxonomy.areas]


def _row(context: Context, named: Named, item: Item, now: datetime) -> Row:
    coming = next_of(item.kind, item.moments, now)
    assert coming is not None, "only what has a date ahead is listed"
    about: dict[str, str] = {}
    for entry in item.entries:
        about = dict(entry.about) | about
    about |= {s.name: f"{s.number:,.0f}" for s in item.signals}
    known = {t.slug: t for t in context.taxonomy.topics}
    wanted = dates.AHEAD[item.kind]
    rest = [m for m in item.moments if m > coming and m.what in (*wanted, "starts", "notification")]
    today = now.date()
    return Row(
        item,
        phrases.date_name(coming.what),
        shown_date(context, coming),
        phrases.days_left((coming.at.date() - today).days),
        said_otherwise(coming),
        tuple((m.label or phrases.date_name(m.what), shown_date(context, m)) for m in rest[:4]),
        tuple((word, about[name]) for name, word in named.facts if about.get(name)),
        tuple(known[t.topic] for t in item.topics if t.topic in known and named.key != known[t.topic].slug),
        tuple(dict.fromkeys(phrases.source_name(e.source) for e in item.entries)),
        not item.estimated and timedelta(0) <= today - item.announced <= _FRESH,
        tuple(n for n in item.news if n.what == "moved" and timedelta(0) <= today - n.day <= _FRESH),
        tuple((phrases.date_name(d.what), told_apart(context, d)) for d in disagreements(item.entries)),
        dates.over(coming) <= now + CLOSE,
    )
