"""NeurIPS: the proceedings, complete since 1987.

Offers: a list of books, an index for each year (titles, authors, tracks), a page for each paper with its abstract; since 2025
the index of a year is in parts, of which it shows one and links to the others. HTML, no feed, no validators. Rate: not
published; one request per second. Terms: no licence is stated; titles, authors and abstracts are shown with a link to the site,
no PDF is kept. Cadence: daily to fortnightly; volumes come once a year, between December and May.

A visit reads the indexes of this and last year, stores what they list, and then fetches the pages of papers that have no
abstract yet. A year that is not published is empty. An index that is the same byte for byte costs one request.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from catalog.entries import Basis, Detail, EntryData
from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings
from catalog.storage.sources import NOTHING, PartState
from catalog.titles import title_key
from ingest.attempts import soundest
from ingest.cadence import Cadence
from ingest.fetch import Answer
from ingest.formats.neurips import (
    BOOKS,
    HOST,
    index_url,
    metadata_url,
    parse_books,
    parse_index,
    parse_metadata,
    parse_paper,
)
from ingest.formats.paper_list import PaperList, PaperPage
from ingest.papers.abstracts import PAGE_LIMIT, UNFINISHED, Allowance, complete, paper_page
from ingest.papers.editions import years
from ingest.papers.volumes import Volume, digest, settled, store, unchanged, unpublished
from ingest.source import History, Visit

LIMIT = 64 * 1024 * 1024  # bytes; the index of 5,800 papers has some 3 MB
SECONDS = 120.0
FIRST_YEAR = 1987
OPENING = (12, 1)  # the meeting begins in the first days of December
CADENCE = Cadence(timedelta(days=1), timedelta(days=14))
SOON = timedelta(hours=1)  # when abstracts are left over


class Neurips:
    """The source `neurips`."""

    name = "neurips"
    homepage = "https://proceedings.neurips.cc/"
    summary = "NeurIPS: the proceedings, with abstracts from the papers' pages"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """This and last year's volume."""
        return 2

    def visit(self, visit: Visit) -> None:
        """One visit, or with a window the volumes of its years; the newest first."""
        books, allowance = _books(visit), Allowance()
        for year in reversed(years(visit.window, visit.now().date(), FIRST_YEAR)):
            self._year(visit, year, books, allowance)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day after a change, up to fourteen days while nothing changes; an hour while abstracts are left over."""
        regular = CADENCE.next_due(self.name, now, run, history)
        return min(regular, now + SOON) if any(UNFINISHED in p.error for p in run.parts) else regular

    def _year(self, visit: Visit, year: int, books: frozenset[int] | None, allowance: Allowance) -> None:
        part, prefix = visit.begin(f"neurips-{year}"), f"{year}/"
        if books is not None and year not in books:
            unpublished(visit, part, prefix)
            return
        state = visit.state(part.name)
        try:
            volume = self._volume(visit, year, state)
        except (FetchError, ParseError) as error:
            if isinstance(error, FetchError) and error.status == 404 and books is None:
                unpublished(visit, part, prefix)
            else:
                visit.fail(part, Outcome.FAILED, str(error))
            return
        if volume is None:
            unchanged(visit, part, state)
        elif not volume.papers.entries and not volume.papers.loss:
            unpublished(visit, part, prefix)
        else:
            after = store(visit, part, state, volume)
            complete(visit, part, volume.papers.entries, after, lambda entry: _in_full(visit, entry), allowance)

    def _volume(self, visit: Visit, year: int, state: PartState) -> Volume | None:
        """The index of a year with all its parts, None when it is unchanged; raises FetchError or ParseError."""
        known, address = state if settled(state) else NOTHING, index_url(year)
        answers = {address: _get(visit, address, known)}
        if answers[address].not_modified:
            return None
        if "digest" in known.cursor:
            answers |= {HOST + path: _get(visit, HOST + path) for path in known.cursor["parts"]}
            if digest(a.body for a in answers.values()) == known.cursor["digest"]:
                return None
        first, total = self._index(visit, year, address, answers)
        parts = [link.path for link in total.links]
        bodies = [first.body]
        for link in total.links:
            try:
                answer, more = self._index(visit, year, HOST + link.path, answers)
            except (FetchError, ParseError) as error:
                total = replace(total, damage=total.damage or f"{link.title}: {error}")
                continue
            bodies.append(answer.body)
            total = total.followed_by(more)
        etag, modified = ("", "") if parts else (first.etag, first.last_modified)  # those of one page say nothing of the others
        return Volume(f"{year}/", total, digest(bodies), {"parts": parts}, etag, modified)

    def _index(self, visit: Visit, year: int, address: str, answers: dict[str, Answer]) -> tuple[Answer, PaperList]:
        """A page of an index, the answer at hand first; raises FetchError or ParseError."""
        opening = date(year, *OPENING)
        estimate = opening if opening <= visit.now().date() else None

        def read() -> tuple[Answer, PaperList]:
            answer = answers.pop(address, None) or _get(visit, address)
            return answer, visit.parse(parse_index, answer, year, self.name, estimate)

        return soundest(read, lambda found: found[1].loss)


def _books(visit: Visit) -> frozenset[int] | None:
    """The years that have a volume; None when the list is of no use, so that each year has to be asked for."""
    try:
        return soundest(lambda: visit.parse(parse_books, visit.http.get(BOOKS)), lambda _: 0)
    except (FetchError, ParseError):
        return None


def _get(visit: Visit, address: str, known: PartState = NOTHING) -> Answer:
    return visit.http.get(address, etag=known.etag, last_modified=known.last_modified, limit=LIMIT, total=SECONDS)


def _in_full(visit: Visit, entry: EntryData) -> EntryData:
    """The entry with what its page says; raises FetchError or ParseError."""
    page = _page(visit, entry)
    day, basis = (page.day, Basis.STATED) if page.day else (entry.announced, entry.basis)
    authors = entry.authors or page.authors
    return replace(entry, abstract=page.abstract, authors=authors, announced=day, basis=basis, detail=Detail.FULL)


def _page(visit: Visit, entry: EntryData) -> PaperPage:
    """A paper's page, or its metadata where the page has no abstract or cannot be read; raises FetchError or ParseError."""
    latest, metadata = visit.now().date() + timedelta(days=1), metadata_url(entry.url)
    try:
        page = paper_page(visit, entry.url, parse_paper, entry.year, latest)
    except (FetchError, ParseError) as error:
        if not metadata or error.reason == "host-down":
            raise
        instead = _metadata(visit, entry, metadata)
        if not instead.abstract:
            raise
        return instead
    if page.abstract or not metadata:
        return page
    return replace(page, abstract=_metadata(visit, entry, metadata).abstract)


def _metadata(visit: Visit, entry: EntryData, address: str) -> PaperPage:
    """A paper's metadata, nothing when there are none or they have another title; raises FetchError or ParseError.

    Metadata that were spoilt on the way are so everywhere, and the index's title tells.
    """
    answer = visit.http.get(address, limit=PAGE_LIMIT, also=frozenset({404}))
    said = visit.parse(parse_metadata, answer) if answer.status == 200 else PaperPage()
    return said if title_key(said.title) == title_key(entry.title) else PaperPage()
