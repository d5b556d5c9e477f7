"""What each page shows: one function per page, from the request's words to the data of its template.

One read transaction per page. Words of an address that are not known are a UsageError, names that do not exist `Missing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from app import phrases
from app.context import Context
from app.digests import Caps, asked_topics, because, in_words, preview, why
from app.pages import charts
from app.render import gap_line, sources_of
from catalog.dates import Disagreement, disagreements
from catalog.entries import EntryData
from catalog.entries import Moment as Dated
from catalog.errors import SkillfeedError, UnknownName, UsageError
from catalog.filters import Filter, Key, Listing, check_words, make_cursor, parse_filter, read_cursor
from catalog.items import Item, Tag
from catalog.outcomes import Outcome, Run
from catalog.periods import Period, default_period, parse_period, week_of
from catalog.query import parse_query
from catalog.storage import entries as stored_entries
from catalog.storage import items as stored_items
from catalog.storage import leases
from catalog.storage import requests as stored_requests
from catalog.storage import sources as stored_sources
from catalog.storage.sources import SourceState
from catalog.tagging.explain import explained, explained_whole
from catalog.taxonomy import Topic

_PAGE = 40  # items of a list
_CAPS = Caps(per_topic=5, total=60)  # a page has room for more than a mail
_TREND_WEEKS = 26
_STATUS_DAYS = 14
_STATUS_RUNS = 12
_REFRESH = 5  # seconds

_IDENTIFIERS = {
    "arxiv": ("arXiv", "https://arxiv.org/abs/{}"),
    "doi": ("DOI", "https://doi.org/{}"),
    "openreview": ("OpenReview", "https://openreview.net/forum?id={}"),
    "pmlr": ("PMLR", "https://proceedings.mlr.press/{}.html"),
    "neurips": ("NeurIPS", ""),
    "cvf": ("CVF", ""),
    "acl": ("ACL Anthology", "https://aclanthology.org/{}/"),
    "kaggle": ("Kaggle", "https://www.kaggle.com/competitions/{}"),
    "github": ("GitHub", "https://github.com/{}"),
    "huggingface": ("Hugging Face", "https://huggingface.co/{}"),
    "edition": ("Edition", ""),
    "hackernews": ("Hacker News", "https://news.ycombinator.com/item?id={}"),
    "article": ("Article", "{}"),
    "url": ("Address", "{}"),
}
_LICENCES = (
    (re.compile(r"creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)"), "CC {} {}"),
    (re.compile(r"creativecommons\.org/publicdomain/zero/(1\.0)"), "CC0 {}"),
    (re.compile(r"arxiv\.org/licenses/nonexclusive-distrib/(1\.0)"), "arXiv non-exclusive licence {}"),
)


class Moved(SkillfeedError):
    """The page is at another path, for good."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Missing(SkillfeedError):
    """A page that does not exist; `nearest` are (name, path) of those that may have been meant."""

    def __init__(self, text: str, nearest: tuple[tuple[str, str], ...] = ()) -> None:
        self.nearest = nearest
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Page:
    """A template and its data; `refresh` in seconds, 0 for a page that stands still."""

    template: str
    data: dict[str, Any]
    refresh: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as a reader sees it, in the instance's zone."""

    text: str
    iso: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source that is not well: which, what, since when, and when it is tried again."""

    source: str
    what: str
    error: str
    since: Moment | None
    again: Moment | None  # None: it is due now


@dataclass(frozen=True, slots=True)
class Health:
    """The state of all sources in one line of a page."""

    troubles: tuple[Trouble, ...]
    unreachable: bool  # no source that was tried could be reached
    visited: bool  # some source has been visited at all
    last: Moment | None  # end of the latest good visit
    arriving: tuple[str, int] | None  # source of a running first visit, and how many items it has brought


@dataclass(frozen=True, slots=True)
class Row:
    """An item in a list."""

    item: Item
    why: str
    topics: tuple[Topic, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list."""

    rows: tuple[Row, ...]
    next: str  # cursor, "" at the end
    first: bool  # no cursor was given


@dataclass(slots=True)
class Words:
    """The request's parameters: each may be asked for once, what is left over is unknown."""

    given: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, request: Request) -> Words:
        """Parameters without a value are as good as absent: a form sends them for what was left empty."""
        words = cls()
        for name, value in request.query_params.multi_items():
            if value.strip():
                words.given.setdefault(name, []).append(value)
        return words

    def one(self, name: str) -> str:
        values = self.given.pop(name, [])
        if len(values) > 1:
            raise UsageError(f"{name} is given {len(values)} times; once is allowed")
        return values[0] if values else ""

    def end(self, allowed: Iterable[str] = ()) -> None:
        if self.given:
            raise UnknownName("parameter", next(iter(self.given)), allowed)


# ------------------------------------------------------------------ the week
def home(context: Context, request: Request) -> Page:
    """The digest of a period, by area."""
    words, taxonomy = Words.of(request), context.taxonomy
    named = words.one("period")
    today = context.clock.now().date()
    period = parse_period(named) if named else default_period(today)
    with context.storage.read() as db:
        states = stored_sources.states(db)
        filter = parse_filter(words.given, taxonomy, known_sources(states, words))
        health = _health(context, db, states)
        by_area = stored_items.counts(db, "area", period.first, period.last)
        by_topic = stored_items.counts(db, "topic", period.first, period.last)
        newest = stored_items.newest_day(db)
    following = period.next if period.next.first <= today else None
    digest = preview(context.storage, taxonomy, filter, period, today, _CAPS)
    sections = {s.topic.slug: s for s in digest.sections}
    shown = []
    for area in taxonomy.areas:
        own = [sections[t.slug] for t in taxonomy.topics_of(area.slug) if t.slug in sections]
        if own:
            shown.append((area, own))
    only = replace(filter, topics=(), areas=()) == Filter()  # the daily counters know topics and areas, nothing else
    pairs = filter.parameters()
    data = {
        "nav": "week",
        "period": period, "name": phrases.period_name(period), "days": phrases.period_days(period),
        "running": period.first <= today <= period.last, "ahead": period.first > today,
        "previous": _neighbour(period.previous, pairs), "next": _neighbour(following, pairs) if following else None,
        "pairs": pairs, "chips": _chips(context, filter, period), "areas": shown, "digest": digest, "sources": sources_of,
        "jump": [(a, by_area.get(a.slug, 0), any(a is b for b, _ in shown)) for a in taxonomy.areas],
        "by_topic": by_topic if only else {}, "counted": only, "health": health, "newest": week_of(newest) if newest else None,
        "receipt": [(phrases.source_name(s), ps) for s, ps in _by_source(digest.receipt.parts)],
        "gaps": [gap_line(g.source, g.part, g.day, g.missing, g.note) for g in digest.receipt.gaps],
    }  # fmt: skip
    return Page("home.html", data, _REFRESH if health.arriving else 0)


def _neighbour(period: Period, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    return {"name": phrases.period_name(period), "pairs": [("period", period.name), *pairs]}


def _chips(context: Context, filter: Filter, period: Period) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each part of the filter in words, with the parameters of the page without it."""
    names = {("topic", t.slug): t.name for t in context.taxonomy.topics}
    names |= {("area", a.slug): a.name for a in context.taxonomy.areas}
    pairs = filter.parameters()
    out = []
    for pair in pairs:
        without = [("period", period.name), *(p for p in pairs if p != pair)]
        out.append((names.get(pair) or f"{pair[0]} {pair[1]}", without))
    return out


def _by_source(parts: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    out: dict[str, list[Any]] = {}
    for part in parts:
        out.setdefault(part.source, []).append(part)
    return list(out.items())


# ------------------------------------------------------------------ areas and topics
def areas(context: Context, request: Request) -> Page:
    """All areas and topics with what came in the last complete week and since."""
    Words.of(request).end()
    today = context.clock.now().date()
    week = week_of(today).previous
    with context.storage.read() as db:
        last = stored_items.counts(db, "topic", week.first, week.last)
        held = stored_items.counts(db, "topic")
    groups = [
        (a, [(t, last.get(t.slug, 0), held.get(t.slug, 0)) for t in context.taxonomy.topics_of(a.slug)])
        for a in context.taxonomy.areas
    ]
    return Page("areas.html", {"nav": "areas", "groups": groups, "week_name": phrases.period_name(week)})


def area(context: Context, request: Request) -> Page:
    """An area: its topics and its newest items."""
    words, taxonomy = Words.of(request), context.taxonomy
    slug = _named("area", request.path_params["slug"], [(a.slug, a.name) for a in taxonomy.areas])
    found = taxonomy.area(slug)
    data = _listing(context, words, Filter(areas=(slug,)), "area", slug)
    week = week_of(context.clock.now().date()).previous
    with context.storage.read() as db:
        last = stored_items.counts(db, "topic", week.first, week.last)
    topics = [(t, last.get(t.slug, 0)) for t in taxonomy.topics_of(slug)]
    data |= {"nav": "areas", "area": found, "topics": topics, "week_name": phrases.period_name(week)}
    return Page("area.html", data)


def topic(context: Context, request: Request) -> Page:
    """A topic: what it is, how much comes of it, and its newest items."""
    words, taxonomy = Words.of(request), context.taxonomy
    known = [(slug, t.name) for t in taxonomy.topics for slug in (t.slug, *t.aliases)]
    found = taxonomy.topic(_named("topic", request.path_params["slug"], known))
    data = _listing(context, words, Filter(topics=(found.slug,)), "topic", found.slug)
    return Page("topic.html", data | {"nav": "areas", "topic": found, "area": taxonomy.area(found.area)})


def _named(what: str, slug: str, known: list[tuple[str, str]]) -> str:
    """The slug when it is known; else Missing, with pages of near names."""
    slugs = dict(known)
    if slug in slugs:
        return slug
    near = UnknownName(what, slug, slugs).nearest
    raise Missing(f"There is no {what} {slug[:60]!r}.", tuple((slugs[n], f"/{what}s/{n}") for n in near[:3]))


def _listing(context: Context, words: Words, filter: Filter, scheme: str, value: str) -> dict[str, Any]:
    """Trend and newest items of a topic or an area."""
    after = _cursor(words)
    words.end(("cursor",))
    today = context.clock.now().date()
    shown = charts.weeks(today, _TREND_WEEKS)
    with context.storage.read() as db:
        days = stored_items.per_day(db, scheme, value, shown[0].first, shown[-1].last)
        held = stored_items.counts(db, scheme).get(value, 0)
        listed = _page(context, db, Listing(filter, limit=_PAGE, after=after, fields=("entries",)))
    return {"chart": charts.per_week(days, shown, today), "held": held, "listed": listed, "api": (scheme, value)}


def _cursor(words: Words) -> Key | None:
    text = words.one("cursor")
    return read_cursor(text) if text else None


def _page(context: Context, db: Any, listing: Listing) -> Listed:
    items, more = stored_items.page(db, replace(listing, fields=(*listing.fields, "summary")))
    items = explained(items, context.taxonomy)
    asked = {t.slug for t in asked_topics(context.taxonomy, listing.filter)}
    rows = tuple(_row(context, i, asked) for i in items)
    return Listed(rows, make_cursor(more) if more is not None else "", listing.after is None)


def _row(context: Context, item: Item, asked: set[str]) -> Row:
    """An item with its topics by name, and the reasons of its best topic that was asked for."""
    known = {t.slug: t for t in context.taxonomy.topics}
    tags = [t for t in item.topics if t.topic in known]
    best = next((t for t in tags if t.topic in asked), None)
    because = why(item, best, known[best.topic].name) if best else ""
    sources = tuple(dict.fromkeys(phrases.source_name(e.source) for e in item.entries))
    return Row(item, because, tuple(known[t.topic] for t in tags), sources)


# ------------------------------------------------------------------ one item
def shown_dates(context: Context, moments: Iterable[Dated]) -> list[tuple[str, Moment, str]]:
    """Dates with their names and, where it says more, what the source wrote."""
    return [(m.label or phrases.date_name(m.what), shown_date(context, m), said_otherwise(m)) for m in moments]


def shown_date(context: Context, moment: Dated) -> Moment:
    """A dated point as a reader sees it."""
    if moment.whole_day:
        return Moment(phrases.day(moment.at.date()), moment.at.date().isoformat())
    shown = moment_of(context, moment.at)
    assert shown is not None, "an instant is shown"
    return shown


def said_otherwise(moment: Dated) -> str:
    """What the source wrote, when it is in another zone than UTC."""
    return "" if moment.whole_day or moment.said.endswith(" UTC") else moment.said


def told_apart(context: Context, differing: Disagreement) -> str:
    """Who says what, where two sources differ."""
    said: dict[str, list[str]] = {}
    for source, moment in differing.said:
        said.setdefault(source, []).append(shown_date(context, moment).text)
    return "; ".join(f"{phrases.source_name(source)}: {', '.join(texts)}" for source, texts in said.items())


def _numbers(item: Item) -> list[tuple[str, list[str]]]:
    """Upvotes, points, citations and the like, by source."""
    told: dict[str, list[str]] = {}
    for signal in item.signals:
        told.setdefault(phrases.source_name(signal.source), []).append(f"{signal.number:,.0f} {signal.name}")
    return list(told.items())


def item(context: Context, request: Request) -> Page:
    """Everything that is known of an item, and why it has its topics."""
    Words.of(request).end()
    id = request.path_params["id"]
    with context.storage.read() as db:
        known_form = re.fullmatch(r"[0-9a-z]{16}", id)
        found = stored_items.by_id(db, id) if known_form else None
        if found is None and known_form and (stays := stored_items.merged_into(db, id)):
            raise Moved(f"/items/{stays}")
        if found is None:
            raise Missing("There is no item of this id.")
        found = explained_whole(found, context.taxonomy)
        said = [stored_entries.kept(db, e.source, [e.key])[e.key].entry for e in found.entries]
    known = {t.slug: t for t in context.taxonomy.topics}
    tags = [(known[t.topic], t, because(t)) for t in found.topics if t.topic in known]
    data = {
        "nav": "", "item": found, "speaker": next((e.source for e in said if e.url == found.url), ""),
        "moment": lambda at: moment_of(context, at),
        "today": context.clock.now().date(), "dates": shown_dates(context, found.moments), "numbers": _numbers(found),
        "differ": [(phrases.date_name(d.what), told_apart(context, d)) for d in disagreements(found.entries)],
        "title": marked(found.title, "title", found.topics, known),
        "abstract": marked(found.summary, "abstract", found.topics, known),
        "tags": tags, "labels": _labels(found), "identifiers": [_identifier(s, v) for s, v in found.identifiers],
        "entries": [(e, ref, _licence(e)) for e, ref in zip(said, found.entries, strict=True)],
    }  # fmt: skip
    return Page("item.html", data)


def _labels(item: Item) -> list[tuple[str, str, str]]:
    """Form and level of a paper, each with what decided it."""
    told = (("form", item.form, item.form_evidence), ("level", item.level, item.level_evidence))
    return [(name, value, in_words(evidence)) for name, value, evidence in told if value]


def marked(text: str, place: str, tags: Iterable[Tag], known: dict[str, Topic]) -> list[tuple[str, str]]:
    """The text in pieces (piece, topic names), empty where no evidence stands. Evidence that is not there is left out."""
    owners: list[list[str]] = [[] for _ in text]
    for tag in tags:
        name = known[tag.topic].name if tag.topic in known else ""
        for e in tag.evidence:
            if not name or e.field != place or not e.words:
                continue
            start = e.start if text[max(e.start, 0) : e.end] == e.words else text.lower().find(e.words.lower())
            for at in range(start, min(start + len(e.words), len(text))) if start >= 0 else ():
                if name not in owners[at]:
                    owners[at].append(name)
    pieces: list[tuple[str, str]] = []
    for letter, names in zip(text, owners, strict=True):
        said = ", ".join(names)
        if pieces and pieces[-1][1] == said:
            pieces[-1] = (pieces[-1][0] + letter, said)
        else:
            pieces.append((letter, said))
    return pieces


def _identifier(scheme: str, value: str) -> tuple[str, str, str]:
    name, form = _IDENTIFIERS.get(scheme, (scheme, ""))
    return name, value, phrases.safe_url(form.format(value)) if form else ""


def _licence(entry: EntryData) -> tuple[str, str]:
    """Name and address of a licence; the name is the address when it is not a known one."""
    url = phrases.safe_url(entry.licence)
    for pattern, form in _LICENCES:
        if m := pattern.search(entry.licence):
            return form.format(*(g.upper() for g in m.groups())), url
    return phrases.one_line(entry.licence)[:120], url


# ------------------------------------------------------------------ search
def search(context: Context, request: Request) -> Page:
    """Newest items that match the words."""
    words, taxonomy = Words.of(request), context.taxonomy
    after, chosen = _cursor(words), words.one("area")
    q = check_words(words.one("q"))
    words.end(("q", "area", "cursor"))
    filter = Filter(areas=(taxonomy.area(chosen).slug,) if chosen else (), q=q)
    understood = parse_query(q) is not None
    listed = None
    if understood:
        with context.storage.read() as db:
            listed = _page(context, db, Listing(filter, limit=_PAGE, after=after, fields=("entries",)))
    data = {
        "nav": "search", "q": q, "chosen": chosen, "areas": taxonomy.areas, "listed": listed, "understood": understood or not q,
        "pairs": filter.parameters(),
    }  # fmt: skip
    return Page("search.html", data)


# ------------------------------------------------------------------ sources
def status(context: Context, request: Request) -> Page:
    """The sources, what they announced lately and what of it is held, and the ledger of visits."""
    Words.of(request).end()
    today = context.clock.now().date()
    since = today - timedelta(days=_STATUS_DAYS - 1)
    parts, gaps = [], []
    with context.storage.read() as db:
        states = stored_sources.states(db)
        health = _health(context, db, states)
        runs = stored_sources.runs(db, limit=_STATUS_RUNS)
        asked = stored_requests.latest(db)
        held = stored_items.counts(db, "kind")
        for state in states:
            sums: dict[str, list[int]] = {}
            for b in stored_sources.batches(db, state.name, since, today):
                own = sums.setdefault(b.part, [0, 0, 0, 0])
                for i, n in enumerate((1, b.announced, b.held, not b.confirmed)):
                    own[i] += n
                if not b.confirmed:
                    gaps.append((b.day, gap_line(state.name, b.part, b.day, b.missing, b.note)))
            parts += [(state.name, name, *own) for name, own in sorted(sums.items())]
    data = {
        "nav": "status", "health": health, "held": sorted(held.items()), "total": sum(held.values()),
        "states": [_state_row(context, s, asked.get(s.name)) for s in states], "runs": [_run_row(context, r) for r in runs],
        "parts_": parts, "gaps": [text for _, text in sorted(gaps, reverse=True)], "days": _STATUS_DAYS,
    }  # fmt: skip
    return Page("status.html", data, _REFRESH if health.arriving else 0)


def about(context: Context, request: Request) -> Page:
    """What this is."""
    Words.of(request).end()
    return Page("about.html", {"nav": "about", "areas": context.taxonomy.areas, "categories": context.settings.categories})


def _state_row(context: Context, s: SourceState, asked: stored_requests.Request | None) -> dict[str, Any]:
    outcome = s.outcome or "not visited yet"
    return {
        "name": s.name, "outcome": outcome if s.enabled else "switched off", "well": _mark(s.outcome if s.enabled else ""),
        "success": moment_of(context, s.last_success), "due": moment_of(context, s.next_due) if s.enabled else None,
        "due_now": s.enabled and s.next_due <= context.clock.now(), "error": s.error, "failures": s.failures,
        "since": moment_of(context, s.failing_since), "warning": s.warning, "warned": moment_of(context, s.warned_since),
        "asked": moment_of(context, asked.asked) if asked and asked.state != "done" else None,
    }  # fmt: skip


def _run_row(context: Context, r: Run) -> dict[str, Any]:
    outcome = r.outcome.value if r.outcome else "running"
    rejected = sum(r.counts.rejected.values())
    return {
        "run": r,
        "outcome": outcome,
        "well": _mark(outcome),
        "started": moment_of(context, r.started),
        "rejected": rejected,
    }


def _mark(outcome: str) -> str:
    """The style of an outcome: good, bad or plain."""
    if outcome in (Outcome.OK, Outcome.EMPTY):
        return "good"
    return "bad" if outcome in (Outcome.FAILED, Outcome.PARTIAL, Outcome.STALE) else "plain"


def _health(context: Context, db: Any, states: Sequence[SourceState]) -> Health:
    tried = [s for s in states if s.enabled and s.outcome]
    ill = [s for s in tried if s.failures and _mark(s.outcome) == "bad"]
    last = max((s.last_success for s in states if s.last_success), default=None)
    unreachable = bool(tried) and all(s.outcome == Outcome.FAILED for s in tried)
    return Health(
        tuple(_trouble(context, s) for s in ill), unreachable, bool(tried), moment_of(context, last), _arriving(db, states)
    )


def _trouble(context: Context, s: SourceState) -> Trouble:
    what = {
        Outcome.FAILED.value: "could not be reached", Outcome.STALE.value: "served an old or short batch",
    }.get(s.outcome, "did not give everything")  # fmt: skip
    again = moment_of(context, s.next_due) if s.next_due > context.clock.now() else None
    return Trouble(phrases.source_name(s.name), what, s.error, moment_of(context, s.failing_since), again)


def _arriving(db: Any, states: Sequence[SourceState]) -> tuple[str, int] | None:
    """A first visit that is under way, by its lease, as a run that was killed stays open in the ledger; else None."""
    new = {f"source:{s.name}": s.name for s in states if s.enabled and s.last_run is None}
    held = leases.holders(db, "source:") if new else {}
    for lease in sorted(new.keys() & held.keys()):
        return phrases.source_name(new[lease]), stored_items.counts(db, "source").get(new[lease], 0)
    return None


def known_sources(states: Sequence[SourceState], words: Words) -> list[str]:
    return [s.name for s in states] if "source" in words.given else []


def _zone(context: Context) -> ZoneInfo:
    return ZoneInfo(context.settings.timezone)


def moment_of(context: Context, at: datetime | None) -> Moment | None:
    """An instant in the instance's zone; None stays None."""
    if at is None:
        return None
    local = at.astimezone(_zone(context))
    iso = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Moment(f"{phrases.day(local.date())}, {local:%H:%M} {local:%Z}", iso)
