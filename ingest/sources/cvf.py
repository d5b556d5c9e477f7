"""CVF Open Access: the papers of CVPR, ICCV, WACV and others, main conferences, findings and workshops.

Offers: a menu that dates each collection, a list of all papers of a collection (title, authors, often the paper's arXiv id), a
page for each paper with its abstract; for some years up to 2020 lists by day only. HTML; lists have no validators. Rate: not
published; one request per second. Terms: copyright stays with the authors; titles, authors and abstracts are shown with a link
to the site, no PDF is kept. Cadence: daily to fortnightly; lists come about ten days before a meeting.

A visit reads the menu, and of this and last year's collections those of which it says something new. Abstracts of papers with
a link to arXiv are left to arXiv; the pages of the others are fetched after the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from catalog.entries import Detail, EntryData
from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import NOTHING, PartState
from ingest.attempts import soundest
from ingest.cadence import Cadence
from ingest.fetch import Answer
from ingest.formats.cvf import (
    HOST,
    MENU,
    Collection,
    Menu,
    parse_days,
    parse_list,
    parse_menu,
    parse_paper,
    parse_workshops,
)
from ingest.formats.paper_list import Link, PaperList
from ingest.papers.abstracts import UNFINISHED, Allowance, complete, paper_page
from ingest.papers.editions import years
from ingest.papers.volumes import Volume, digest, settled, store, unchanged, unpublished
from ingest.source import History, Page, Visit

LIMIT = 64 * 1024 * 1024  # bytes; a list of 4,000 papers has some 10 MB
SECONDS = 120.0
FIRST_YEAR = 2013
CADENCE = Cadence(timedelta(days=1), timedelta(days=14))
SOON = timedelta(hours=1)  # when abstracts are left over
_MISSING = frozenset({404})


class Cvf:
    """The source `cvf`."""

    name = "cvf"
    homepage = "https://openaccess.thecvf.com/"
    summary = "CVPR, ICCV, WACV and others: the papers of CVF Open Access"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """The menu, and some collections of two years."""
        return 12

    def visit(self, visit: Visit) -> None:
        """One visit, or with a window the collections of its years."""
        part = visit.begin("menu")
        try:
            menu = soundest(lambda: visit.parse(parse_menu, visit.http.get(MENU)), lambda found: bool(found.damage))
        except (FetchError, ParseError) as error:
            visit.fail(part, Outcome.FAILED, str(error))
            return
        wanted = years(visit.window, visit.now().date(), FIRST_YEAR)
        chosen = [c for c in menu.collections if c.year in wanted]
        part.outcome = Outcome.OK if chosen else Outcome.EMPTY
        self._remember(visit, part, menu)
        allowance = Allowance()
        for collection in chosen:
            self._collection(visit, collection, allowance)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day after a change, up to fourteen days while nothing changes; an hour while abstracts are left over."""
        regular = CADENCE.next_due(self.name, now, run, history)
        return min(regular, now + SOON) if any(UNFINISHED in p.error for p in run.parts) else regular

    def _remember(self, visit: Visit, part: Part, menu: Menu) -> None:
        """Hold the menu against the one before: collections do not go, unless two visits in a row miss the same ones."""
        names, before = [c.name for c in menu.collections], visit.state(part.name).cursor
        gone = [name for name in before.get("names", ()) if name not in names]
        if menu.damage:
            visit.fail(part, Outcome.PARTIAL, menu.damage)
        elif gone and gone != before.get("gone"):
            visit.keep(part, Page(state=PartState({**before, "gone": gone})))
            visit.fail(part, Outcome.STALE, f"the menu does not list {', '.join(gone[:5])} any more")
        elif names != before.get("names") or "gone" in before:
            visit.keep(part, Page(state=PartState({"names": names})))

    def _collection(self, visit: Visit, collection: Collection, allowance: Allowance) -> None:
        part, state, prefix = visit.begin(collection.name), visit.state(collection.name), f"{collection.name}/"
        same = settled(state) and state.cursor.get("menu") == collection.text
        if same and collection.published:
            unchanged(visit, part, state)
            return
        try:
            volume = self._volume(visit, collection, state if same else NOTHING)
        except (FetchError, ParseError) as error:
            if isinstance(error, FetchError) and error.status == 404:
                unpublished(visit, part, prefix)
            else:
                visit.fail(part, Outcome.FAILED, str(error))
            return
        if volume is None:
            unchanged(visit, part, state)
        elif volume.papers.entries or volume.papers.loss:
            after = store(visit, part, state, volume, lambda entry: entry.detail is Detail.BRIEF)
            complete(visit, part, volume.papers.entries, after, lambda entry: _in_full(visit, entry), allowance)
        else:
            facts = {**volume.facts, "digest": volume.digest, "announced": 0, "held": 0}
            unpublished(visit, part, prefix, PartState(facts) if collection.kind == "workshops" else None)

    def _volume(self, visit: Visit, collection: Collection, known: PartState) -> Volume | None:
        """The list of all papers, else those by day; None when it is unchanged. Raises FetchError or ParseError."""
        if collection.kind == "workshops":
            return self._workshops(visit, collection)
        address = f"{HOST}/{collection.name}?day=all"
        answer = _get(visit, address, known)
        if answer.not_modified or (answer.status == 200 and known.cursor.get("digest") == digest([answer.body])):
            return None
        if answer.status == 200:
            answer, papers = self._list(visit, address, collection, "", answer)
            if papers.announced:
                facts = {"menu": collection.text}
                return Volume(f"{collection.name}/", papers, digest([answer.body]), facts, answer.etag, answer.last_modified)
        return self._by_day(visit, collection)

    def _by_day(self, visit: Visit, collection: Collection) -> Volume:
        """The papers of the days that the conference's page links to, or of that page; raises FetchError or ParseError."""
        address = f"{HOST}/{collection.name}"
        answer = _get(visit, address)
        if answer.status == 404:
            address += ".py"
            answer = visit.http.get(address, limit=LIMIT, total=SECONDS)
        days = visit.parse(parse_days, answer, collection)
        if not days:
            answer, papers = self._list(visit, address, collection, "", answer)
            return Volume(f"{collection.name}/", papers, digest([answer.body]), {"menu": collection.text})
        return self._together(visit, collection, days, "")

    def _workshops(self, visit: Visit, collection: Collection) -> Volume:
        """The papers of all workshops of a conference; raises FetchError or ParseError."""

        def read() -> tuple[tuple[Link, ...], str]:
            return visit.parse(parse_workshops, visit.http.get(f"{HOST}/{collection.name}/menu"), collection)

        links, damage = soundest(read, lambda found: bool(found[1]))
        return self._together(visit, collection, links, damage)

    def _together(self, visit: Visit, collection: Collection, links: Iterable[Link], damage: str) -> Volume:
        """The papers of several lists; one that is missing is what is wrong with them all."""
        total, bodies = PaperList(damage=damage), []
        for link in links:
            workshop = link.title if collection.kind == "workshops" else ""
            try:
                answer, papers = self._list(visit, HOST + link.path, collection, workshop, None)
            except (FetchError, ParseError) as error:
                total = replace(total, damage=total.damage or f"{link.title}: {error}")
                continue
            bodies.append(answer.body)
            total = total.followed_by(papers)
        return Volume(f"{collection.name}/", total, digest(bodies), {"menu": collection.text})

    def _list(
        self, visit: Visit, address: str, collection: Collection, workshop: str, at_hand: Answer | None
    ) -> tuple[Answer, PaperList]:
        """A list of papers, the answer at hand first; raises FetchError or ParseError."""
        answers = [at_hand] if at_hand is not None else []

        def read() -> tuple[Answer, PaperList]:
            answer = answers.pop() if answers else visit.http.get(address, limit=LIMIT, total=SECONDS)
            return answer, visit.parse(parse_list, answer, collection, self.name, _latest(visit), workshop)

        return soundest(read, lambda found: found[1].loss)


def _get(visit: Visit, address: str, known: PartState = NOTHING) -> Answer:
    """The answer, which may be that there is no such page."""
    return visit.http.get(
        address, etag=known.etag, last_modified=known.last_modified, limit=LIMIT, total=SECONDS, also=_MISSING
    )


def _in_full(visit: Visit, entry: EntryData) -> EntryData:
    """The entry with the abstract of its page; raises FetchError or ParseError."""
    return replace(entry, abstract=paper_page(visit, entry.url, parse_paper).abstract, detail=Detail.FULL)


def _latest(visit: Visit) -> date:
    """The last date that an answer may carry; a day ahead for clocks and zones."""
    return visit.now().date() + timedelta(days=1)
