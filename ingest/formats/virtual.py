"""Programmes of virtual conference sites (the software is called miniconf): two JSON files for an edition of a meeting.

`<conf>-<year>-orals-posters.json` is `{"count", "next", "previous", "results": [event, …]}`; `<conf>-<year>-abstracts.json` is
`{"<event id>": "abstract", …}`. A paper has one event for each way it is presented, all with its `uid`; `count` counts events.
`keywords` is a list, or in older files text with commas; `decision` may be null; from 2026 on abstracts are in the second file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from catalog.entries import Basis, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import arxiv_id, canonical_url
from catalog.text import clean_abstract, clean_line
from ingest.formats.json_body import read_json, whole_number
from ingest.formats.tiers import tier
from ingest.formats.titles import Titles

_UID = re.compile(r"[!-~]{1,64}")
_FORUM = re.compile(r"[A-Za-z0-9_-]{4,40}")
#: What nearly all addresses are; taking them apart and putting them together again makes up half of the reading otherwise.
_USUAL_PAGE = re.compile(r"https://openreview\.net/forum\?id=([A-Za-z0-9_-]{4,40})")
_USUAL_PATH = re.compile(r"/virtual/\d{4}/[a-z-]+/\d+")
#: Kinds of event that are no papers, also where they name people.
_NO_PAPER = re.compile(
    r"tutorial|workshop|talk|keynote|social|break|panel|town hall|reception|remarks|registration|mentor|expo\b|meeting", re.I
)
_PAPER = re.compile(r"poster|oral|spotlight|highlight|paper", re.I)
_UNWANTED = re.compile(r"reject|withdraw", re.I)
_FINDINGS = re.compile(r"\bfindings\b", re.I)
#: Pages of proceedings that name one paper: host, path, scheme and how the match is written as an identifier.
_PAGES = (
    (re.compile(r"proceedings\.mlr\.press/([vr]\d+/[a-z0-9-]+)\.html"), "pmlr", "{0}"),
    (re.compile(r"(?:proceedings|papers)\.(?:neurips|nips)\.cc/.*/hash/([0-9a-f]{32})-Abstract\S*"), "neurips", "{0}"),
    (re.compile(r"openaccess\.thecvf\.com/content/([A-Z]+\d{4})/html/([\w.-]+_paper)\.html"), "cvf", "{0}/{1}"),
    (re.compile(r"openaccess\.thecvf\.com/content_([A-Z]+)_(\d{4})/html/([\w.-]+_paper)\.html"), "cvf", "{0}{1}/{2}"),
)


@dataclass(frozen=True, slots=True)
class Meeting:
    """An edition of a meeting."""

    source: str
    host: str
    venue: str
    slug: str  # as in the names of the files
    year: int


@dataclass(frozen=True, slots=True)
class Event:
    """A paper as one event presents it."""

    id: str  # by which the file of abstracts names it; "" when it has none
    entry: EntryData  # without a date
    starts: date | None = None  # local to the meeting


@dataclass(frozen=True, slots=True)
class Programme:
    """What a file of events holds."""

    events: tuple[Event, ...]  # those that present a paper
    rows: int  # all
    count: int | None  # all, as the file states
    next: str = ""  # address of a further page
    rejected: Counter[str] = field(default_factory=Counter)
    markup: str = ""  # what is odd about the titles, or ""

    @property
    def empty(self) -> bool:
        """True when the file states that there is nothing yet."""
        return self.rows == 0 and self.count == 0

    @property
    def damage(self) -> str:
        """What is wrong with the file as a whole, once all its pages are together, or ""."""
        if self.count is None:
            return self.markup or "the file does not say how many events it has"
        counted = f"the file states {self.count} events and has {self.rows}" if self.count != self.rows else ""
        return "; ".join(filter(None, (counted, self.markup)))

    @property
    def loss(self) -> int:
        """How much is wrong with one page; 0 when nothing is. The stated count is that of all pages."""
        missing = 1 if self.count is None else 0 if self.next else abs(self.count - self.rows)
        return self.page_loss + missing

    @property
    def page_loss(self) -> int:
        """The same of a page that is not the only one."""
        return sum(self.rejected.values()) + bool(self.markup)

    def followed_by(self, more: Programme) -> Programme:
        """This page and the next as one."""
        return Programme(
            self.events + more.events,
            self.rows + more.rows,
            self.count,
            more.next,
            self.rejected + more.rejected,
            self.markup or more.markup,
        )


def parse_programme(body: bytes, meeting: Meeting) -> Programme:
    """The events of a file or of a page of it; raises ParseError for what is no list of events."""
    value = read_json(body)
    if not isinstance(value, dict) or not isinstance(value.get("results"), list):
        raise ParseError("no-programme", "the answer is JSON, but no list of events")
    rejected: Counter[str] = Counter()
    events: list[Event] = []
    nameless: list[Event] = []
    titles = Titles()
    for row in value["results"]:
        if not isinstance(row, dict):
            rejected["not-an-object"] += 1
        elif not _is_paper(row):
            continue
        elif not (title := titles.clean(_text(row.get("name")))):
            rejected["no-title"] += 1
        else:
            number = _name(row.get("id"))
            uid = _name(row.get("uid"))
            if not uid and not number:
                rejected["no-uid"] += 1
                continue
            event = Event(number, _entry(row, uid or number, title, meeting), _day(row.get("starttime"), meeting.year))
            (events if uid else nameless).append(event)
    if rejected and nameless:
        # A damaged file loses a field here and there: under its event's number a paper would be a second one.
        rejected["no-uid"] += len(nameless)
    else:
        events += nameless
    count, following = whole_number(value.get("count")), _text(value.get("next")).strip()
    return Programme(tuple(events), len(value["results"]), count, following, rejected, titles.damage)


def parse_abstracts(body: bytes) -> tuple[dict[str, str], int]:
    """Abstracts by event id, and how many could not be read; raises ParseError for what is no such file, or an empty one."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise ParseError("no-abstracts", "the answer is JSON, but no abstracts by event")
    if not value:
        raise ParseError("empty", "the file of abstracts is empty")
    texts = {key: clean_abstract(text) for key, text in value.items() if isinstance(text, str)}
    if not texts:
        raise ParseError("no-abstracts", "the answer is JSON, but no abstracts by event")
    return texts, len(value) - len(texts)


def papers(events: Iterable[Event], abstracts: Mapping[str, str], today: date, usual: date | None) -> tuple[EntryData, ...]:
    """The papers of the events, in the order of their first; of several the best tier is taken and completed by the others.

    A paper is announced on the day of its first event, if that is not after `today`; without any, on the `usual` first day of
    the meeting, if there is one. Both are estimates.
    """
    by_key: dict[str, list[Event]] = {}
    for event in events:
        by_key.setdefault(event.entry.key, []).append(event)
    return tuple(_paper(group, abstracts, today, usual) for group in by_key.values())


def _paper(group: list[Event], abstracts: Mapping[str, str], today: date, usual: date | None) -> EntryData:
    best = tier(e.entry.decision for e in group)
    lead = next(e.entry for e in group if e.entry.decision == best)
    entries = [lead, *(e.entry for e in group)]
    said = next((e.abstract for e in entries if e.abstract), "")
    day = min((e.starts for e in group if e.starts), default=usual)
    known = day is not None and day <= today
    return replace(
        lead,
        abstract=said or next((abstracts[e.id] for e in group if abstracts.get(e.id)), ""),
        authors=next((e.authors for e in entries if e.authors), ()),
        track=next((e.track for e in entries if e.track), ""),
        subjects=next((e.subjects for e in entries if e.subjects), ()),
        keywords=next((e.keywords for e in entries if e.keywords), ()),
        identifiers=tuple(sorted({i for e in entries for i in e.identifiers})),
        announced=day if known else None,
        basis=Basis.ESTIMATED if known else Basis.HELD,
    )


def _is_paper(row: Mapping[str, Any]) -> bool:
    """True unless the event is of another kind, or of a paper that was not accepted."""
    kinds = [k for k in (clean_line(_text(row.get(n))) for n in ("eventtype", "event_type")) if k]
    if _UNWANTED.search(_text(row.get("decision"))):
        return False
    if any(_PAPER.search(k) for k in kinds) or not kinds:
        return True
    return bool(_authors(row.get("authors"))) and not any(_NO_PAPER.search(k) for k in kinds)


def _entry(row: Mapping[str, Any], uid: str, title: str, meeting: Meeting) -> EntryData:
    home = f"https://{meeting.host}/virtual/{meeting.year}/"
    pages = [u for n in ("paper_url", "url") if (said := _text(row.get(n))) and (u := _page(said))]
    site = _text(row.get("virtualsite_url")).strip()
    return EntryData(
        meeting.source,
        f"{meeting.slug}-{meeting.year}/{uid}",
        Kind.PAPER,
        title,
        (_joined(home, site) if site else None) or next(iter(pages), home),
        abstract=clean_abstract(_text(row.get("abstract"))),
        authors=_authors(row.get("authors")),
        venue=meeting.venue,
        year=meeting.year,
        track=_track(row),
        decision=tier(_text(row.get(n)) for n in ("decision", "eventtype", "event_type")),
        subjects=_lines(row.get("topic")),
        keywords=_keywords(row.get("keywords")),
        identifiers=tuple(sorted({i for page in pages if (i := identifier_of(page))})),
    )


def identifier_of(page: str) -> tuple[str, str] | None:
    """The work that an address names: an OpenReview forum, an arXiv paper, a page of PMLR, NeurIPS or CVF; else None."""
    if usual := _USUAL_PAGE.fullmatch(page):
        return "openreview", usual[1]
    parts = urlsplit(page)
    host = parts.hostname or ""
    if host in ("openreview.net", "www.openreview.net") and parts.path in ("/forum", "/pdf"):
        forum = next(iter(parse_qs(parts.query).get("id", [])), "")
        return ("openreview", forum) if _FORUM.fullmatch(forum) else None
    if host.removeprefix("www.").removeprefix("export.") == "arxiv.org":
        known = arxiv_id(page)
        return ("arxiv", known.id) if known else None
    for pattern, scheme, form in _PAGES:
        if found := pattern.fullmatch(f"{host}{parts.path}"):
            return scheme, form.format(*found.groups())
    return None


def _track(row: Mapping[str, Any]) -> str:
    """The track: the last part of the OpenReview group in `sourceurl`, or Findings; "" for the main one."""
    if any(_FINDINGS.search(_text(row.get(n))) for n in ("eventtype", "event_type", "session", "decision")):
        return "Findings"
    group = _group(_text(row.get("sourceurl")))
    last = clean_line(group.rstrip("/").rpartition("/")[2].replace("_", " "))
    if "/Workshop/" in group:
        return f"workshop: {last}"
    return "" if last.casefold() == "conference" else last.removesuffix(" Track")


@lru_cache(maxsize=100)  # a file has a handful
def _group(address: str) -> str:
    """The OpenReview group that an address names, or ""."""
    parts = urlsplit(canonical_url(address) or "")
    return next(iter(parse_qs(parts.query).get("id", [])), "") if parts.hostname == "openreview.net" else ""


def _page(address: str) -> str | None:
    return address if _USUAL_PAGE.fullmatch(address) else canonical_url(address)


def _joined(base: str, path: str) -> str | None:
    if _USUAL_PATH.fullmatch(path):
        return base[: base.index("/", 8)] + path
    try:
        return canonical_url(urljoin(base, path))
    except ValueError:
        return None


def _authors(value: object) -> tuple[str, ...]:
    """Names in order, of a list of objects or of names."""
    people = value if isinstance(value, list) else []
    names = (clean_line(_text(p.get("fullname") if isinstance(p, dict) else p)) for p in people)
    return tuple(n for n in names if n)


def _keywords(value: object) -> tuple[str, ...]:
    return _lines(re.split("[,;]", value) if isinstance(value, str) else value)


def _lines(value: object) -> tuple[str, ...]:
    """The texts of a list, or the one text, cleaned, none twice."""
    texts = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(line for t in texts if (line := clean_line(_text(t)))))


def _name(value: object) -> str:
    """A number or a word that can be part of a key; "" for anything else."""
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value).strip()
    return name if _UID.fullmatch(name) else ""


def _day(value: object, year: int) -> date | None:
    """The local day of an instant (ISO 8601); None when there is none, or when it cannot be of the edition."""
    try:
        day = date.fromisoformat(_text(value)[:10])
    except ValueError:
        return None
    return day if abs(day.year - year) <= 1 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
