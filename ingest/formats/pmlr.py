"""Proceedings of Machine Learning Research: the lists of volumes, a volume's configuration, and its papers in two forms.

`citeproc.yaml` is written by a template that quotes titles and abstracts but not the names of people, so that one name can
break the file: it is then read paper by paper. `bibliography.bib` names the same papers. `_config.yml` is the file from which
a volume's pages are made; it alone says when the meeting was (a volume may be issued in the year after).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from catalog.entries import Basis, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import doi
from catalog.text import clean_abstract, clean_line, unaccent_tex
from catalog.venues import venue_in
from ingest.formats import bibtex
from ingest.formats.paper_list import PaperList
from ingest.formats.titles import Titles
from ingest.formats.xml import read_xml
from ingest.formats.yaml_text import decode, read_yaml

SOURCE = "pmlr"
_VOLUME = re.compile(r"(?:https?://proceedings\.mlr\.press/)?([vr][1-9]\d{0,3})/?")
_PAGE = re.compile(r"https?://proceedings\.mlr\.press/[vr]\d+/([^\s/?#]+)\.html")
_ID = re.compile(r"[A-Za-z0-9][^\s/?#'\"<>]{0,99}")
_BLOCK = re.compile(r"^- title:", re.M)
_TOP_LINE = re.compile(r"^([a-z_]+):[ \t]*(.*)$", re.M)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DATED = re.compile(r"[\s,-]*(?:(?:19|20)\d\d|['’]\d\d)$")  # the year at the end of a short name
_FORUM = re.compile(r"(?:https?://openreview\.net/(?:forum|pdf)\?id=)?([A-Za-z0-9_-]{6,40})")
_PROCEEDINGS = re.compile(
    r"^(?:Proceedings of )?(?:the |The )?(?:\w+-)?(?:\d+(?:st|nd|rd|th) |First |Second |Third )?(?:\d{4} )?"
)
_TRACK = re.compile(r"([A-Z]\w+(?: (?:and|&) [A-Z]\w+)?) Track\b")


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a volume's configuration says of it."""

    shortname: str = ""
    name: str = ""
    booktitle: str = ""
    year: int = 0  # of the meeting; 0 is unknown
    published: date | None = None

    def stored(self) -> dict[str, Any]:
        """Plain data for a cursor, empty fields left out."""
        said = {"shortname": self.shortname, "name": self.name, "booktitle": self.booktitle, "year": self.year}
        return {k: v for k, v in said.items() if v} | ({"published": self.published.isoformat()} if self.published else {})

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Meeting:
        """The inverse of `stored`; further keys are left alone."""
        published = stored.get("published")
        return cls(
            stored.get("shortname", ""), stored.get("name", ""), stored.get("booktitle", ""), stored.get("year", 0),
            date.fromisoformat(published) if published else None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Volumes:
    """A list of volumes: `v97`, reissues `r5`; `lost` are items that name nothing at all."""

    names: tuple[str, ...]
    lost: int = 0


# ------------------------------------------------------------------ volumes
def parse_feed(body: bytes) -> Volumes:
    """The volumes of the site's feed; raises ParseError for what is no RSS."""
    document = read_xml(body, "item")
    if document.root.tag != "rss":
        raise ParseError("no-rss", f"the root element is {str(document.root.tag)[:60]!r}, not rss")
    names: dict[str, None] = {}
    lost = document.lost
    for item in document.root.iter("item"):
        said = [(item.findtext(tag) or "").strip() for tag in ("link", "guid", "title")]
        found = next((m[1] for text in said if (m := _VOLUME.fullmatch(text))), "")
        if found:
            names[found] = None
        lost += not any(said)  # what names something else is no volume
    return Volumes(tuple(names), lost + bool(document.damage))


def parse_list(body: bytes) -> Volumes:
    """The volumes of `proceedings.yaml`; raises ParseError for what is no such list."""
    text, _ = decode(body)
    _refuse_html(text)
    rows = _rows(read_yaml(text))
    names: dict[str, None] = {}
    lost = 0
    for row in rows:
        said = _line(row, "volume").lower()
        name = f"v{said}" if said.isdecimal() else said
        if _VOLUME.fullmatch(name):
            names[name] = None
        lost += not said
    return Volumes(tuple(names), lost)


def parse_config(body: bytes, latest: date) -> tuple[Meeting, bool]:
    """What `_config.yml` says of the meeting, and True when that is all that a configuration says: names, and both dates.

    Dates after `latest` are not believed. Raises ParseError for what is no configuration.
    """
    text, _ = decode(body)
    _refuse_html(text)
    try:
        documents = read_yaml(text)
    except ParseError as error:
        if error.reason != "broken-yaml":
            raise
        documents = [{m[1]: m[2].strip(" \t\r'\"") for m in _TOP_LINE.finditer(text)}]
    said = documents[0] if documents and isinstance(documents[0], dict) else {}
    conference = said.get("conference")
    about = conference if isinstance(conference, dict) else {}
    days = about.get("dates")
    dates = [_line(said, "start"), *(d for d in (days if isinstance(days, list) else [days]) if isinstance(d, str))]
    meeting = Meeting(
        _line(said, "shortname"),
        _line(about, "name"),
        _line(said, "booktitle"),
        _year([*dates, _line(said, "year")], latest),
        _day(_line(said, "published"), latest),
    )
    if meeting == Meeting():
        raise ParseError("no-config", "the answer is no configuration of a volume")
    return meeting, bool(meeting.shortname and meeting.booktitle and _year(dates, latest) and meeting.published)


# ------------------------------------------------------------------ papers
@dataclass(frozen=True, slots=True)
class _Paper:
    """A paper as either file says it, not yet cleaned."""

    id: str
    url: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    doi: str
    openreview: str  # a forum or its address
    announced: date | None = None
    basis: Basis = Basis.HELD


def parse_citeproc(body: bytes, volume: str, meeting: Meeting | None, latest: date) -> PaperList:
    """The papers of a volume's `citeproc.yaml`; `meeting` None: the file itself says what it can of it.

    Dates after `latest` are not believed. Raises ParseError for what is no such file.
    """
    if not body.strip():
        raise ParseError("empty-body", "the answer is empty")
    text, mended = decode(body)
    rows, broken = _blocks(text)
    said = [_cited(row, latest) for row in rows]
    title = next((t for row in rows if (t := _line(row, "container-title"))), "")
    published = next((p.announced for p in said if p.announced), None)
    whole = _completed(meeting or Meeting(), title, published, latest)
    return _collected(volume, whole, said, Counter({"broken-yaml": broken} if broken else {}), mended)


def parse_bibliography(body: bytes, volume: str, meeting: Meeting | None, latest: date) -> PaperList:
    """The papers of a volume's `bibliography.bib`, dated by the configuration; raises ParseError for what is no such file."""
    text, mended = decode(body)
    _refuse_html(text)
    found, broken = bibtex.read_bibtex(text)
    if not found:
        raise ParseError("no-bibtex", "the answer holds no BibTeX")
    rows = [e for e in found if e.type != "proceedings"]
    said = [_referred(row, volume) for row in rows]
    title = next((clean_line(t) for e in found if (t := e.fields.get("booktitle"))), "")
    year = _year([e.fields.get("year", "") for e in rows[:1]], latest)
    whole = _completed(meeting or Meeting(year=year), title, None, latest)
    return _collected(volume, whole, said, Counter({"broken-bibtex": broken} if broken else {}), mended)


def _blocks(text: str) -> tuple[list[dict[str, Any]], int]:
    """The papers of the file, and how many are broken: one by one when the whole is no YAML. Raises ParseError."""
    _refuse_html(text)
    try:
        return _rows(read_yaml(text)), 0
    except ParseError:
        starts = [m.start() for m in _BLOCK.finditer(text)]
        if not starts:
            raise
    rows: list[dict[str, Any]] = []
    broken = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        try:
            rows += _rows(read_yaml(text[start:end]))
        except ParseError:
            broken += 1
    return rows, broken


def _cited(row: Mapping[str, Any], latest: date) -> _Paper:
    """A paper of `citeproc.yaml`."""
    people = row.get("author")
    day, basis = _published(row, latest)
    return _Paper(
        _text(row, "id"), _text(row, "URL"), _text(row, "title"), _text(row, "abstract"),
        tuple(_person(p) for p in people) if isinstance(people, list) else (),
        _text(row, "DOI"), _text(row, "openreview"), day, basis,
    )  # fmt: skip


def _referred(entry: bibtex.BibEntry, volume: str) -> _Paper:
    """A paper of `bibliography.bib`."""
    fields = entry.fields
    return _Paper(
        entry.key.removeprefix(f"{SOURCE}-{volume}-"), fields.get("url", ""), bibtex.plain(fields.get("title", "")),
        fields.get("abstract", ""), bibtex.people(fields.get("author", "")), fields.get("doi", ""),
        fields.get("openreview", ""),
    )  # fmt: skip


def _collected(volume: str, meeting: Meeting, said: Iterable[_Paper], rejected: Counter[str], mended: bool) -> PaperList:
    """The entries of the papers; `rejected` is what could not be read before, `mended` that the encoding was off."""
    venue, track = edition(meeting)
    entries: dict[str, EntryData] = {}
    titles = Titles()
    for paper in said:
        key, title = _id_of(paper), titles.clean(paper.title)
        if not key:
            rejected["no-key"] += 1
        elif not title:
            rejected["no-title"] += 1
        elif key in entries:
            rejected["duplicate"] += 1
        else:
            entries[key] = EntryData(
                SOURCE,
                f"{volume}/{key}",
                Kind.PAPER,
                title,
                f"https://proceedings.mlr.press/{volume}/{key}.html",
                abstract=clean_abstract(paper.abstract),
                authors=tuple(name for p in paper.authors if (name := clean_line(p))),
                announced=paper.announced or meeting.published,
                basis=paper.basis if paper.announced else Basis.STATED if meeting.published else Basis.HELD,
                venue=venue,
                year=meeting.year,
                track=track,
                identifiers=_identifiers(paper, f"{volume}/{key}"),
            )
    damage = "; ".join(filter(None, ("some of it is no UTF-8" if mended else "", titles.damage)))
    return PaperList(tuple(entries.values()), rejected, damage)


def edition(meeting: Meeting) -> tuple[str, str]:
    """Venue and track: of a workshop the conference that it belongs to; a series that is not known keeps its short name."""
    names = (meeting.shortname, meeting.name, meeting.booktitle)
    venue = next((v for name in names if (v := venue_in(name))), "") or _DATED.sub("", meeting.shortname)
    title = meeting.name or meeting.booktitle
    if re.search("workshop", " ".join(names), re.I):
        topic = _PROCEEDINGS.sub("", title).removeprefix(f"{venue} ")
        topic = re.sub(r"^(?:\d{4} )?Workshop (?:on|for) (?:the )?| Workshops?$", "", topic).strip()
        return venue, f"workshop: {topic or meeting.shortname}"
    track = _TRACK.search(meeting.booktitle)
    return venue, track[1] if track else ""


def _completed(meeting: Meeting, booktitle: str, published: date | None, latest: date) -> Meeting:
    """The meeting, with what its papers say where the configuration says nothing."""
    title = meeting.booktitle or booktitle
    day = meeting.published or published
    year = meeting.year or _year([title], latest) or (day.year if day else 0)
    return replace(meeting, booktitle=title, year=year, published=day)


def _id_of(paper: _Paper) -> str:
    """The paper's id within its volume, from its address where it has no other; "" without any."""
    page = _PAGE.fullmatch(paper.url.strip())
    said = [paper.id.strip(), page[1] if page else ""]
    return next((i for i in said if _ID.fullmatch(i)), "")


def _identifiers(paper: _Paper, key: str) -> tuple[tuple[str, str], ...]:
    found = {(SOURCE, key)}
    if number := doi(paper.doi):
        found.add(("doi", number))
    if forum := _FORUM.fullmatch(paper.openreview.strip()):
        found.add(("openreview", forum[1]))
    return tuple(sorted(found))


def _person(said: object) -> str:
    """A name as written on a page: given name, particles, family name, suffix."""
    if isinstance(said, str):
        return unaccent_tex(said)
    if not isinstance(said, dict):
        return ""
    parts = (_text(said, k) for k in ("given", "prefix", "family", "suffix"))
    return unaccent_tex(" ".join(p for p in parts if p) or _text(said, "literal"))


def _published(row: Mapping[str, Any], latest: date) -> tuple[date | None, Basis]:
    """The day of publication; the first of a month or year where the file says no more, which is an estimate."""
    if day := _day(_text(row, "published"), latest):
        return day, Basis.STATED
    issued = row.get("issued")
    parts = issued.get("date-parts") if isinstance(issued, dict) else None
    if isinstance(parts, list) and parts and isinstance(parts[0], list):
        parts = parts[0]  # strict citeproc nests them
    numbers = [p.strip() for p in parts if isinstance(p, str)] if isinstance(parts, list) else []
    if not numbers:
        return None, Basis.HELD
    year, month, day_of_month = [*numbers, "1", "1"][:3]
    found = _day(f"{year:0>4}-{month:0>2}-{day_of_month:0>2}", latest)
    return found, Basis.HELD if found is None else Basis.STATED if len(numbers) >= 3 else Basis.ESTIMATED


# ------------------------------------------------------------------ values
def _rows(documents: list[Any]) -> list[dict[str, Any]]:
    """The objects of the lists that the documents are; raises ParseError when one is something else."""
    rows: list[dict[str, Any]] = []
    for document in documents:
        if document == "":  # an empty document, as of a volume without papers
            continue
        if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
            raise ParseError("no-list", "the YAML is no list of objects")
        rows += document
    return rows


def _refuse_html(text: str) -> None:
    if text.lstrip()[:15].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise ParseError("html", "a page or XML came instead of the file")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _line(row: Mapping[str, Any], name: str) -> str:
    return clean_line(_text(row, name), 300)


def _year(texts: Iterable[str], latest: date) -> int:
    """The first year that the texts name, none after the next one; 0 when there is none."""
    years = (int(m[0]) for text in texts if (m := _YEAR.search(text)))
    return next((y for y in years if y <= latest.year + 1), 0)


def _day(text: str, latest: date) -> date | None:
    """The ISO date with which the text begins, without those after `latest`."""
    try:
        day = date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
    return day if day <= latest else None
