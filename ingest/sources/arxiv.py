"""arXiv: preprints, complete.

Offers: daily announcement feeds (rss.arxiv.org, one category each: a joined feed is cut at 2,000 and loses new papers first),
the listing page of the day (arxiv.org/list), OAI-PMH (oaipmh.arxiv.org), the query API (export.arxiv.org). Metadata are CC0.
Rate: one request per three seconds and one connection over all of them together (info.arxiv.org/help/api/tou.html).
Cadence: 00:20 US Eastern on days with an announcement; hourly while something is missing.

A visit reads each category's feed, holds it against the listing, harvests what changed by OAI-PMH, and looks up by id what is
still missing. A first visit begins with OAI-PMH. Cursors move only after answers that were whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from catalog.categories import belongs, canonical, oai_set
from catalog.entries import Basis, EntryData
from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import Batch, PartState
from ingest import arxiv_query
from ingest.attempts import HARMLESS, lost, reasons, soundest
from ingest.formats.arxiv_calendar import expects_batch, feed_day, next_feed
from ingest.formats.arxiv_feed import DailyFeed, parse_daily
from ingest.formats.arxiv_listing import Listing, parse_listing
from ingest.formats.arxiv_oai import OaiPage, parse_oai
from ingest.source import History, Page, Visit, Window

FEED = "https://rss.arxiv.org/rss/"
LISTING = "https://arxiv.org/list/{}/new"
OAI = "https://oaipmh.arxiv.org/oai"
OAI_LIMIT = 64 * 1024 * 1024  # bytes; a page of 2,500 records is about 6 MB, with long author lists more
OAI_SECONDS = 90.0  # the server takes its time before the first byte
LISTING_SHOW = 2000  # entries on a page
FIRST_DAYS = 14
GAP_DAYS = 14  # batches this old are still repaired
LATE_DAYS = 12  # moderation holds papers; see ingest.decide
LOOKUPS = 500  # ids asked for one by one in a visit
WHOLE_GROUP = (
    3  # categories of one archive from which on the whole archive is harvested: fewer pages, as cross-listings overlap
)


@dataclass(slots=True)
class _Checked:
    """A category's part of the run and the batch that it is about."""

    part: Part
    batch: Batch


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a category's feed and listing say together."""

    outcome: Outcome
    note: str  # what is wrong, or ""
    day: date | None  # of the batch
    entries: tuple[EntryData, ...]  # to keep
    rejected: Counter[str]
    current: bool  # the listing is of the batch, so that its count is the check


def judge(feed: DailyFeed | None, listing: Listing | None, trouble: str, today: date, known: Mapping[date, Batch]) -> Verdict:
    """Hold a feed (None: unchanged or unusable) against a listing (None: unusable); `trouble` says why one is unusable. Pure.

    `today` is the date that the feeds should carry now, `known` the batches of the category so far.
    """
    in_feed = dict(_announced(feed)) if feed else {}
    entries = [e for _, e in feed.entries] if feed else []
    rejected = Counter(feed.rejected) if feed else Counter[str]()
    day = feed.day if feed else None
    expected = day or today
    outcome, note = Outcome.OK if in_feed else Outcome.EMPTY, ""
    current = listing is not None and (listing.day == expected or expected < listing.day <= today)
    if listing is not None and current:
        day = listing.day
        outcome, note, undated = _against(feed, in_feed, listing, trouble)
        listed = {e.key: e for _, e in listing.entries}
        entries = [_undated(e) if e.key in undated else _dated(e, listed.get(e.key)) for e in entries]
        entries += [e for _, e in listing.entries if e.key not in in_feed]
        rejected += listing.rejected
    elif trouble:
        if in_feed or expects_batch(expected):
            outcome, note = Outcome.PARTIAL, f"the count could not be checked: {trouble}"
    elif listing is not None and in_feed and not ((batch := known.get(expected)) and batch.confirmed):
        outcome, note = Outcome.PARTIAL, f"the count could not be checked: the listing shows {listing.day}, the feed {day}"
    if outcome in (Outcome.OK, Outcome.EMPTY) and lost(rejected):
        outcome, note = Outcome.PARTIAL, f"entries were lost: {reasons(rejected)}"
    return Verdict(outcome, note, day, tuple(entries), rejected, current)


def _against(
    feed: DailyFeed | None, in_feed: Mapping[str, EntryData], listing: Listing, trouble: str
) -> tuple[Outcome, str, set[str]]:
    """Outcome and note of a feed held against the listing of its batch, and the keys whose date is not to be believed."""
    good = Outcome.OK if listing.announced else Outcome.EMPTY
    strangers = set(in_feed) - set(listing.keys)
    if feed is None:
        return (Outcome.PARTIAL, f"{trouble}; the listing was used instead", set()) if trouble else (good, "", set())
    if feed.day is not None and feed.day != listing.day and listing.announced:
        return Outcome.STALE, f"the feed is still of {feed.day}, the listing of {listing.day}", strangers
    if in_feed and len(strangers) == len(in_feed):
        return Outcome.STALE, f"the feed serves an earlier batch as that of {listing.day}", strangers
    if not in_feed and listing.announced:
        return Outcome.STALE, f"the feed of {listing.day} is empty, the listing has {listing.announced}", set()
    if any(k not in in_feed for k in listing.keys):
        return Outcome.STALE, f"the feed of {listing.day} is short: {len(in_feed)} of {listing.announced}", set()
    return good if not in_feed else Outcome.OK, "", set()


class Arxiv:
    """The source `arxiv`."""

    name = "arxiv"
    homepage = "https://arxiv.org/"
    summary = "Preprints: daily feeds checked against the listings, OAI-PMH for completeness and new versions"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """A part for each category and each OAI-PMH set."""
        return len(settings.categories) + len(sets_for(settings.categories))

    def visit(self, visit: Visit) -> None:
        """One visit, or with a window the records announced in it."""
        chosen = frozenset(canonical(c) for c in visit.settings.categories)
        sets = sets_for(visit.settings.categories)
        if visit.window is not None:
            for name in sets:
                self.harvest_window(visit, name, chosen, visit.window)
            return
        first = all(not visit.state(_oai_part(name)).cursor for name in sets)
        if first:
            self._harvest_all(visit, sets, chosen)
        checked = [c for category in visit.settings.categories if (c := self._daily(visit, category))]
        if not first:
            self._harvest_all(visit, sets, chosen)
        self._close_gaps(visit, checked)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """The next feed.

        Sooner while something is wrong: an hour after a short batch, 5 minutes to an hour while arXiv cannot be reached.
        """
        regular = next_feed(now)
        if run.outcome in (Outcome.OK, Outcome.EMPTY):
            return regular
        if run.outcome is Outcome.FAILED:
            return min(regular, now + min(timedelta(hours=1), timedelta(minutes=5 * 2 ** min(history.failures, 10))))
        return min(regular, now + timedelta(hours=1))

    # ------------------------------------------------------------ the daily feeds
    def _daily(self, visit: Visit, category: str) -> _Checked | None:
        """Read a category's feed and hold it against its listing."""
        part, state = visit.begin(category), visit.state(category)
        known = {b.day: b for b in visit.batches(feed_day(visit.now()) - timedelta(days=GAP_DAYS)) if b.part == category}
        feed, feed_error, validators = self._feed(visit, category, state)
        if feed is None and not feed_error:  # not modified
            day = date.fromisoformat(state.cursor["day"])
            if (batch := known.get(day)) and batch.confirmed:
                part.outcome = Outcome.OK if batch.announced else Outcome.EMPTY
                part.announced, part.held = batch.announced, batch.held
                return None
        elif feed is not None and feed.day and (batch := known.get(feed.day)) and batch.confirmed and _announced(feed):
            # A rebuilt feed of a batch that is held already: the listing was read when it came.
            part.announced, part.held = batch.announced, batch.held
            return self._keep_daily(visit, part, feed, None, "", validators, known)
        try:
            listing: Listing | None = self._listing(visit, category)
            listing_error = ""
        except (FetchError, ParseError) as error:
            listing, listing_error = None, str(error)
        if feed is None and listing is None and feed_error:
            self._search_instead(visit, part, category, f"{feed_error}; listing: {listing_error}")
            return None
        return self._keep_daily(visit, part, feed, listing, feed_error or listing_error, validators, known)

    def _feed(self, visit: Visit, category: str, state: PartState) -> tuple[DailyFeed | None, str, PartState | None]:
        """The feed (None when unchanged or unusable), what is wrong with it, and the validators to keep for a sound one."""
        latest = _latest(visit)
        validators: list[PartState] = []

        def read() -> DailyFeed | None:
            # 400 carries a feed whose description says what is wrong with the category.
            answer = visit.http.get(
                FEED + quote(category), etag=state.etag, last_modified=state.last_modified, also=frozenset({400})
            )
            if answer.not_modified and state.cursor:
                return None
            feed = visit.parse(parse_daily, answer, self.name, latest)
            validators[:] = [PartState({"day": (feed.day or latest).isoformat()}, answer.etag, answer.last_modified)]
            return feed

        try:
            feed = soundest(read, lambda f: 0 if f is None else lost(f.rejected) + bool(f.damage) + f.mended)
        except (FetchError, ParseError) as error:
            return None, str(error), None
        sound = feed is not None and not lost(feed.rejected) and not feed.damage
        return feed, "", validators[0] if sound and validators else None

    def _listing(self, visit: Visit, category: str) -> Listing:
        """The listing with all its pages; raises FetchError or ParseError."""

        def read(skip: int) -> Listing:
            query = {"skip": str(skip), "show": str(LISTING_SHOW)}
            return visit.parse(parse_listing, visit.http.get(LISTING.format(quote(category)), query), self.name)

        listing = soundest(lambda: read(0), lambda page: lost(page.rejected))
        while listing.shown < listing.total or (listing.shown and listing.shown % LISTING_SHOW == 0):
            more = soundest(lambda: read(listing.shown), lambda page: lost(page.rejected))  # noqa: B023 - called at once
            if more.day != listing.day or not more.shown:
                break
            listing = listing.followed_by(more)
        return listing

    def _keep_daily(
        self,
        visit: Visit,
        part: Part,
        feed: DailyFeed | None,
        listing: Listing | None,
        trouble: str,
        validators: PartState | None,
        known: Mapping[date, Batch],
    ) -> _Checked | None:
        """Keep what feed and listing say together, and note what is wrong."""
        verdict = judge(feed, listing, trouble, feed_day(visit.now()), known)
        in_feed = dict(_announced(feed)) if feed else {}
        outcome, note = verdict.outcome, verdict.note
        if listing is None and trouble and in_feed and visit.held(in_feed) == set(in_feed):
            outcome, note = Outcome.STALE, f"nothing in the feed of {verdict.day} is new; {note}"
        batch = self._batch(visit, part.name, verdict, listing if verdict.current else None, known)
        # Replacements of papers that are not held are left to OAI-PMH, which knows when they were announced.
        replaced = {e.key for kind, e in feed.entries if kind not in ("new", "cross")} if feed else set()
        unknown = replaced - visit.held(replaced) - set(in_feed) if replaced else set()
        entries = [e for e in verdict.entries if e.key not in unknown]
        state = validators if outcome in (Outcome.OK, Outcome.EMPTY) else None
        visit.keep(part, Page(entries, (), verdict.rejected, state, [batch] if batch else [], passed=len(unknown)))
        part.outcome = outcome
        if note:
            visit.fail(part, outcome, note)
        if batch is None:
            return None
        part.announced, part.held = batch.announced, batch.held
        return _Checked(part, batch)

    @staticmethod
    def _batch(
        visit: Visit, category: str, verdict: Verdict, listing: Listing | None, known: Mapping[date, Batch]
    ) -> Batch | None:
        """What is announced and held once these entries are kept; None when there is nothing to compare with."""
        day, entries = verdict.day, verdict.entries
        if listing is None:
            if day is not None and day not in known and (n := sum(e.announced == day for e in entries)):
                return Batch(category, day, n, n, (), "not checked against the listing")
            return None
        coming = {e.key for e in entries}
        rest = [k for k in listing.keys if k not in coming]
        missing = tuple(sorted(set(rest) - visit.held(rest))) if rest else ()
        unnamed = listing.announced - len(listing.keys)
        note = f"the listing names {len(listing.keys)} of {listing.announced}" if unnamed > 0 else ""
        return Batch(
            category, listing.day, listing.announced, listing.announced - len(missing) - max(0, unnamed), missing, note
        )

    def _search_instead(self, visit: Visit, part: Part, category: str, trouble: str) -> None:
        """Feed and listing are both out of reach: ask the query API for the last days' submissions."""
        now = visit.now()
        try:
            found = arxiv_query.submitted_since(
                visit, self.name, category, now - timedelta(days=LATE_DAYS), now, _latest(visit)
            )
        except (FetchError, ParseError) as error:
            visit.fail(part, Outcome.FAILED, f"{trouble}; query API: {error}")
            return
        visit.keep(part, Page(found.entries, (), found.rejected))
        visit.fail(part, Outcome.PARTIAL, f"{trouble}; the query API was used instead, the count could not be checked")

    # ------------------------------------------------------------ OAI-PMH
    def _harvest_all(self, visit: Visit, sets: Iterable[str], chosen: frozenset[str]) -> None:
        for name in sets:
            first = visit.now().date() - timedelta(days=FIRST_DAYS)
            self._harvest(visit, _oai_part(name), name, first, lambda e: belongs(e.categories, chosen))

    def harvest_window(self, visit: Visit, name: str, chosen: frozenset[str] | None, window: Window) -> None:
        """The records of a set announced in the window, of the chosen categories or all.

        OAI-PMH dates changes, not announcements, so the list is read from the window's first day to today.
        """
        # Moderation holds papers for up to nine days longer than the calendar says: rather some too early than one missing.
        low, high = window.since - timedelta(days=LATE_DAYS), window.until or date.max

        def wanted(entry: EntryData) -> bool:
            inside = entry.announced is None or low <= entry.announced <= high
            return inside and (chosen is None or belongs(entry.categories, chosen))

        part = f"{_oai_part(name)} {window.since}..{window.until or ''}"
        self._harvest(visit, part, name, window.since, wanted, once=True)

    def _harvest(
        self, visit: Visit, part_name: str, set_name: str, since: date, wanted: Callable[[EntryData], bool], once: bool = False
    ) -> None:
        """What changed in a set since its cursor.

        `once`: the part is a window; its cursor goes when the list is read to its end.
        """
        part, state = visit.begin(part_name), visit.state(part_name)
        cursor = dict(state.cursor)
        start = date.fromisoformat(cursor["from"]) if "from" in cursor else since
        token, as_of = str(cursor.get("token", "")), _day(cursor.get("as_of"))
        losses: Counter[str] = Counter()
        damaged, restarted = "", False
        while True:
            request = {"verb": "ListRecords", "resumptionToken": token} if token else _list_request(set_name, start)
            try:
                page = soundest(lambda: self._oai_page(visit, request), _page_loss)  # noqa: B023 - called at once
            except (FetchError, ParseError) as error:
                visit.fail(part, Outcome.PARTIAL if part.counts.seen else Outcome.FAILED, str(error))
                return
            if page.error == "badResumptionToken" and token and not restarted:
                token, as_of, restarted = "", None, True
                continue
            if page.error == "noRecordsMatch" and not token:
                return  # nothing changed; the cursor stays, as an answer given too early sticks for the day
            if page.error:
                visit.fail(
                    part, Outcome.PARTIAL if part.counts.seen else Outcome.FAILED, f"OAI-PMH {page.error}: {page.message}"
                )
                return
            if not page.entries and not page.deleted and not page.rejected:
                visit.fail(part, Outcome.STALE, "OAI-PMH answered with an empty list instead of noRecordsMatch")
                return
            as_of = as_of or page.response_date
            losses += Counter({k: n for k, n in page.rejected.items() if k not in HARMLESS})
            damaged = damaged or page.damage
            sound = not losses and not damaged
            last = not page.token
            if last and not sound and not damaged and cursor.get("losses") == dict(losses):
                sound = True  # the same loss as at the visit before: the upstream's own, not a fault on the way
            part.outcome = Outcome.OK
            chosen = [e for e in page.entries if wanted(e)]
            passed = len(page.entries) - len(chosen)
            after = self._after(page, start, as_of, sound, losses, last, once)
            visit.keep(part, Page(chosen, page.deleted, page.rejected, after, passed=passed))
            if last:
                break
            token = page.token
        if losses or damaged:
            visit.fail(part, Outcome.PARTIAL, damaged or f"records were lost: {reasons(losses)}")

    def _oai_page(self, visit: Visit, request: Mapping[str, str]) -> OaiPage:
        answer = visit.http.get(OAI, request, limit=OAI_LIMIT, total=OAI_SECONDS)
        return visit.parse(parse_oai, answer, self.name, _latest(visit))

    @staticmethod
    def _after(
        page: OaiPage, start: date, as_of: date | None, sound: bool, losses: Counter[str], last: bool, once: bool
    ) -> PartState | None:
        """Where the set goes on after this page; None leaves the cursor where it is."""
        cursor: dict[str, Any] = {"from": start.isoformat()}
        if as_of is None:
            return None
        if not sound:
            return PartState(cursor | {"losses": dict(losses)}) if last and not page.damage else None
        if not last:
            return PartState(cursor | {"token": page.token, "as_of": as_of.isoformat()})
        return PartState({} if once else {"from": (as_of - timedelta(days=1)).isoformat()})

    # ------------------------------------------------------------ gaps
    def _close_gaps(self, visit: Visit, checked: Iterable[_Checked]) -> None:
        """Look up by id what was announced in the last days and is not held; what is still missing then is named."""
        parts = {(c.part.name, c.batch.day): c.part for c in checked}
        open_ = [b for b in visit.batches(feed_day(visit.now()) - timedelta(days=GAP_DAYS)) if b.missing]
        if not open_:
            return
        keys = sorted({k for b in open_ for k in b.missing})
        wanted = sorted(set(keys) - visit.held(keys))[:LOOKUPS]
        trouble = ""
        if wanted:
            part = visit.begin("gaps")
            try:
                found = arxiv_query.by_ids(visit, self.name, wanted, _latest(visit))
                visit.keep(part, Page(found.entries, (), found.rejected))
                part.outcome = Outcome.OK if len(found.entries) == len(wanted) else Outcome.PARTIAL
            except (FetchError, ParseError) as error:
                trouble = str(error)
            if trouble or part.outcome is Outcome.PARTIAL:
                visit.fail(
                    part,
                    Outcome.PARTIAL,
                    trouble or f"{len(wanted) - part.counts.seen} of {len(wanted)} ids are not known to arXiv",
                )
        held = visit.held(keys)
        closed = []
        for batch in open_:
            missing = tuple(k for k in batch.missing if k not in held)
            settled = replace(batch, missing=missing, held=batch.held + len(batch.missing) - len(missing))
            closed.append(settled)
            if own := parts.get((batch.part, batch.day)):
                own.held = settled.held
                if missing:
                    names = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
                    visit.fail(own, Outcome.PARTIAL, f"announced {batch.announced}, held {settled.held}; missing {names}")
        visit.keep(visit.begin("batches"), Page(batches=closed))


def sets_for(categories: Iterable[str]) -> list[str]:
    """The OAI-PMH sets that hold the categories: a whole archive where several of it are chosen, else one set each."""
    by_archive: dict[str, list[str]] = {}
    for category in categories:
        name = oai_set(canonical(category))
        by_archive.setdefault(":".join(name.split(":")[:2]), []).append(name)
    out: list[str] = []
    for archive, names in by_archive.items():
        out += [archive] if len(names) >= WHOLE_GROUP else sorted(set(names))
    return out


def _oai_part(set_name: str) -> str:
    return f"oai {set_name}"


def _list_request(set_name: str, since: date) -> dict[str, str]:
    return {"verb": "ListRecords", "metadataPrefix": "arXivRaw", "set": set_name, "from": since.isoformat()}


def _announced(feed: DailyFeed) -> list[tuple[str, EntryData]]:
    return [(e.key, e) for kind, e in feed.entries if kind in ("new", "cross")]


def _undated(entry: EntryData) -> EntryData:
    """The entry without the date that a stale feed put on it."""
    return replace(entry, announced=None, basis=Basis.HELD)


def _dated(entry: EntryData, listed: EntryData | None) -> EntryData:
    """The entry, with the listing's date when the feed's could not be read."""
    if entry.announced is not None or listed is None:
        return entry
    return replace(entry, announced=listed.announced, basis=listed.basis)


def _page_loss(page: OaiPage) -> int:
    nothing = not page.error and not page.entries and not page.deleted
    return lost(page.rejected) + bool(page.damage) + page.mended + (1_000_000 if nothing else 0)


def _latest(visit: Visit) -> date:
    """The last date that an answer may carry; a day ahead for clocks and zones."""
    return visit.now().date() + timedelta(days=1)


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)) if text else None
