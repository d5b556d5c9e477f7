"""Virtual conference sites: the programmes of NeurIPS, ICML, ICLR, CVPR, ICCV, ECCV, MLSys and AISTATS.

Offers: two static JSON files for each edition, at or before the meeting: its events (papers with topic, decision, OpenReview
forum) and, from 2026 on, the abstracts apart. Validators (ETag, Last-Modified). Rate: not published; one request per second.
Terms: no licence is stated; titles, authors and abstracts are shown with a link to the site. Cadence: daily to fortnightly,
the oftener the later something changed; an unchanged file costs one request.

A visit reads this and last year's edition of the meeting. Each is its own part: its papers are counted by `uid`, as one paper
has several events, and its events against the number that the file states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urljoin, urlsplit

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings
from catalog.storage.sources import NOTHING, PartState
from ingest.attempts import soundest
from ingest.cadence import Cadence
from ingest.formats.paper_list import PaperList
from ingest.formats.virtual import Meeting, Programme, papers, parse_abstracts, parse_programme
from ingest.papers.editions import years
from ingest.papers.volumes import Volume, digest, settled, store, unchanged, unpublished
from ingest.source import History, Visit

LIMIT = 64 * 1024 * 1024  # bytes; files are 10 to 30 MB
SECONDS = 120.0
PAGES = 50  # of one file
BARE = 0.05  # of the papers may be missing from a file of abstracts that is believed
FIRST_YEAR = 2015  # the files begin with 2020; programmes of the years before were put in later
CADENCE = Cadence(timedelta(days=1), timedelta(days=14))
_MISSING = frozenset({404})


@dataclass(frozen=True, slots=True)
class Conference:
    """A meeting that has a virtual site."""

    slug: str  # as in the names of the files
    host: str
    venue: str
    begins: tuple[int, int]  # month and day on which it usually begins


CONFERENCES = (
    Conference("neurips", "neurips.cc", "NeurIPS", (12, 1)),
    Conference("icml", "icml.cc", "ICML", (7, 10)),
    Conference("iclr", "iclr.cc", "ICLR", (5, 1)),
    Conference("cvpr", "cvpr.thecvf.com", "CVPR", (6, 15)),
    Conference("iccv", "iccv.thecvf.com", "ICCV", (10, 1)),
    Conference("eccv", "eccv.ecva.net", "ECCV", (10, 1)),
    Conference("mlsys", "mlsys.org", "MLSys", (5, 12)),
    Conference("aistats", "virtual.aistats.org", "AISTATS", (5, 1)),
)


class Virtual:
    """The source `virtual-<conf>` of one meeting."""

    enabled = True

    def __init__(self, conference: Conference) -> None:
        self._conference = conference
        self.name = f"virtual-{conference.slug}"
        self.homepage = f"https://{conference.host}/"
        self.summary = f"{conference.venue}: the programme on its virtual site, with topics, decisions and abstracts"

    def steps(self, settings: Settings) -> int:
        """This and last year's edition."""
        return 2

    def visit(self, visit: Visit) -> None:
        """One visit, or with a window the editions of its years."""
        for year in years(visit.window, visit.now().date(), FIRST_YEAR):
            self._edition(visit, year)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day after a change, up to fourteen days while nothing changes."""
        return CADENCE.next_due(self.name, now, run, history)

    def _edition(self, visit: Visit, year: int) -> None:
        meeting = Meeting(self.name, self._conference.host, self._conference.venue, self._conference.slug, year)
        part = visit.begin(f"{meeting.slug}-{year}")
        state, prefix = visit.state(part.name), f"{part.name}/"
        abstracts = _Abstracts(visit, meeting, state.cursor.get("abstracts"))
        try:
            # New abstracts come without the papers that they are of, so these are read again.
            file = _read(visit, meeting, NOTHING if abstracts.changed() else state)
        except (FetchError, ParseError) as error:
            if isinstance(error, FetchError) and error.status == 404:
                unpublished(visit, part, prefix)
            else:
                visit.fail(part, Outcome.FAILED, str(error))
            return
        if file is None:
            unchanged(visit, part, state)
        elif file.programme.empty:
            unpublished(visit, part, prefix, PartState({"announced": 0, "held": 0}, file.etag, file.last_modified))
        else:
            store(visit, part, state, self._volume(visit, prefix, year, state, file, abstracts), lambda _: False)
        if abstracts.trouble:
            visit.fail(part, Outcome.PARTIAL, abstracts.trouble)

    def _volume(self, visit: Visit, prefix: str, year: int, state: PartState, file: _File, abstracts: _Abstracts) -> Volume:
        """The papers of an edition, with their abstracts from the second file where the first has none."""
        programme = file.programme
        bare = any(not e.entry.abstract for e in programme.events)
        texts = abstracts.texts() if bare else {}
        today = visit.now().date()
        usual = date(year, *self._conference.begins) if year < today.year else None
        entries = papers(programme.events, texts, today, usual)
        whole = digest([file.digest.encode(), abstracts.digest.encode()])
        without = sum(not e.abstract for e in entries)
        damage = programme.damage
        # The same files as at the visit before have no more abstracts than these.
        if abstracts.published and without > BARE * len(entries) and state.cursor.get("doubt") != whole:
            damage = damage or f"{without} of {len(entries)} papers have no abstract in the file of abstracts"
        facts = {"abstracts": abstracts.validators} if bare else {}
        return Volume(prefix, PaperList(entries, programme.rejected, damage), whole, facts, file.etag, file.last_modified)


@dataclass(frozen=True, slots=True)
class _File:
    """A programme as it was read; validators are empty for one of several pages, as each has its own."""

    programme: Programme
    digest: str
    etag: str = ""
    last_modified: str = ""


def _read(visit: Visit, meeting: Meeting, state: PartState) -> _File | None:
    """The programme with all its pages, None when it is unchanged; raises FetchError or ParseError."""
    address = _file(meeting, "orals-posters")
    known = state if settled(state) and state.cursor["announced"] == state.cursor["held"] else NOTHING

    def read(url: str, validators: PartState) -> _File | None:
        answer = visit.http.get(url, etag=validators.etag, last_modified=validators.last_modified, limit=LIMIT, total=SECONDS)
        if answer.not_modified:
            return None
        programme = visit.parse(parse_programme, answer, meeting)
        return _File(programme, digest([answer.body]), answer.etag, answer.last_modified)

    file = soundest(lambda: read(address, known), lambda f: f.programme.loss if f else 0)
    for _ in range(PAGES - 1):
        following = _further(address, file.programme.next) if file else ""
        if file is None or not following:
            break
        more = soundest(lambda: read(following, NOTHING), lambda f: f.programme.page_loss if f else 0)  # noqa: B023 - called at once
        if more is not None:
            file = _File(file.programme.followed_by(more.programme), digest([file.digest.encode(), more.digest.encode()]))
    return file


class _Abstracts:
    """The second file of an edition: asked for when it is needed, or when it has changed."""

    def __init__(self, visit: Visit, meeting: Meeting, known: Mapping[str, str] | None) -> None:
        """`known` are the file's validators, empty when it was not published yet; None when it was not needed."""
        self._visit, self._address, self._known = visit, _file(meeting, "abstracts"), known
        self._texts: Mapping[str, str] | None = None
        self.validators: Mapping[str, str] = known or {}
        self.digest = ""
        self.trouble = ""  # what is wrong with it, or ""

    @property
    def published(self) -> bool:
        """True when it could be read."""
        return self._texts is not None

    def changed(self) -> bool:
        """True when the file was needed before and is another one now."""
        if self._known is not None:
            self._read(self._known)
        return self.published

    def texts(self) -> Mapping[str, str]:
        """Abstracts by event; none when the file is not published or of no use."""
        if not self.published and not self.trouble:
            self._read({})
        return self._texts or {}

    def _read(self, known: Mapping[str, str]) -> None:
        try:
            self._texts, _ = soundest(lambda: self._ask(known), lambda answer: answer[1])
        except (FetchError, ParseError) as error:
            self.trouble = f"abstracts: {error}"
            self.validators = {}

    def _ask(self, known: Mapping[str, str]) -> tuple[Mapping[str, str] | None, int]:
        """The abstracts and how many could not be read; None when the file is unchanged or not published."""
        answer = self._visit.http.get(
            self._address,
            etag=known.get("etag", ""),
            last_modified=known.get("last_modified", ""),
            limit=LIMIT,
            total=SECONDS,
            also=_MISSING,
        )
        if answer.status != 200:
            return None, 0
        self.validators = {"etag": answer.etag, "last_modified": answer.last_modified}
        self.digest = digest([answer.body])
        return self._visit.parse(parse_abstracts, answer)


def _file(meeting: Meeting, what: str) -> str:
    return f"https://{meeting.host}/static/virtual/data/{meeting.slug}-{meeting.year}-{what}.json"


def _further(address: str, following: str) -> str:
    """The address of the next page, if it is one of the same file; else ""."""
    try:
        target = urljoin(address, following)
        here, there = urlsplit(address), urlsplit(target)
        same = (there.hostname, there.path) == (here.hostname, here.path)
    except ValueError:
        return ""
    return f"{address}?{there.query}" if same and there.query else ""


VIRTUAL = tuple(Virtual(c) for c in CONFERENCES)
