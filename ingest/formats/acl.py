"""The Anthology's XML: a collection has volumes, a volume has papers (schema.rnc of the package acl-anthology).

Titles and abstracts hold markup: `<fixed-case>` keeps capitals, `<b>` and `<i>` are type, `<tex-math>` is LaTeX.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from lxml import etree

from catalog.entries import Basis, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import doi
from catalog.text import clean_abstract, clean_line
from catalog.venues import venue_in
from ingest.formats.paper_list import PaperList
from ingest.formats.titles import Titles
from ingest.formats.xml import Document, read_xml
from ingest.formats.yaml_text import decode

SOURCE = "acl"
_COLLECTION = re.compile(r"\d{4}\.[a-z0-9]+|[A-Z]\d\d")
_KEY = re.compile(r"\d{4}\.[a-z0-9]+-[\w]+\.\d+|[A-Z]\d\d-\d{4,5}")
_VOLUME = re.compile(r"<volume(?=[\s>])")
_PAPER = re.compile(r"<paper(?=[\s>])")
_MONTHS = {m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_UNKNOWN = date(1900, 1, 1)  # stands where the Anthology does not know the day
#: Collections; until 2019 they were letters. IJCNLP has met with AACL, or under ACL's name, since there is an AACL.
_VENUES = {
    "acl": "ACL", "emnlp": "EMNLP", "naacl": "NAACL", "eacl": "EACL", "aacl": "AACL", "ijcnlp": "AACL", "coling": "COLING",
    "lrec": "LREC", "conll": "CoNLL", "tacl": "TACL", "cl": "Computational Linguistics",
    "P": "ACL", "D": "EMNLP", "N": "NAACL", "E": "EACL", "I": "IJCNLP", "C": "COLING", "L": "LREC", "K": "CoNLL", "Q": "TACL",
    "J": "Computational Linguistics",
}  # fmt: skip
_MAIN = frozenset({"long", "short", "main", "findings"})
_TRACKS = {
    "demo": "Demonstrations", "demos": "Demonstrations", "demonstrations": "Demonstrations", "industry": "Industry",
    "srw": "Student Research Workshop", "tutorial": "Tutorials", "tutorials": "Tutorials",
    "tutorialabstracts": "Tutorials",
}  # fmt: skip
#: Where the id of a volume is a number, its title says what it holds.
_SAID = (
    (re.compile(r"student\W+research", re.I), "Student Research Workshop"),
    (re.compile(r"demonstration|\bdemos?\b", re.I), "Demonstrations"),
    (re.compile(r"tutorial", re.I), "Tutorials"),
    (re.compile(r"industry", re.I), "Industry"),
    (re.compile(r"shared task", re.I), "Shared Task"),
)


@dataclass(frozen=True, slots=True)
class _Volume:
    """What a volume says of all its papers."""

    collection: str
    id: str
    venue: str
    year: int
    track: str
    announced: date | None
    basis: Basis


def parse_collection(body: bytes, today: date) -> PaperList:
    """The papers of a collection; days after tomorrow are not believed. Raises ParseError for what is no collection."""
    documents, lost = _documents(body)
    found = PaperList((), Counter({"broken-xml": lost} if lost else {}))
    for document in documents:
        found = found.followed_by(_papers(document, today))
    return found


def _documents(body: bytes) -> tuple[list[Document], int]:
    """The collection, or, when it is broken, each of its volumes in a collection of its own, and papers of lost volumes.

    What is whole of a broken document stands under its first volume: papers of the others would be dated by that.
    """
    whole = read_xml(body, "paper")
    if not whole.damage and not whole.lost:
        return [whole], 0
    text, _ = decode(body)
    starts = [m.start() for m in _VOLUME.finditer(text)]
    if len(starts) < 2:
        return [whole], 0
    opening = text[: starts[0]].lstrip()
    documents: list[Document] = []
    lost = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        volume = text[start:end]
        volume = volume.rpartition("</volume>")[0] or volume
        try:
            documents.append(read_xml(f"{opening}{volume}</volume></collection>".encode(), "paper"))
        except ParseError:
            lost += len(_PAPER.findall(volume))
    return documents, lost


def _papers(document: Document, today: date) -> PaperList:
    root = document.root
    collection = root.get("id", "")
    if root.tag != "collection" or not _COLLECTION.fullmatch(collection):
        raise ParseError("no-collection", f"the root element is {str(root.tag)[:60]!r}, no collection of the Anthology")
    rejected: Counter[str] = Counter({"broken-xml": document.lost} if document.lost else {})
    entries: dict[str, EntryData] = {}
    titles = Titles()
    for element in root.iterfind("volume"):
        volume = _volume(element, collection, today)
        for paper in element.iterfind("paper"):
            if paper.get("type") in ("frontmatter", "backmatter"):
                continue
            key, title = _key(paper, volume), titles.clean(_said(paper.find("title")))
            if not key:
                rejected["no-key"] += 1
            elif not title:
                rejected["no-title"] += 1
            elif key in entries:
                rejected["duplicate"] += 1
            else:
                entries[key] = _entry(paper, key, title, volume, today)
    mended = "its encoding or entities had to be mended" if document.mended else ""
    return PaperList(tuple(entries.values()), rejected, "; ".join(filter(None, (document.damage, mended, titles.damage))))


def _volume(element: etree._Element, collection: str, today: date) -> _Volume:
    name = element.get("id", "")
    said = {child.tag: _line(child) for child in element.iterfind("meta/*")}
    own = collection.partition(".")[2] or collection[0]
    venue = _VENUES.get(own) or _VENUES.get(name.partition("-")[0]) or venue_in(said.get("booktitle", "")) or own.upper()
    year = int(collection[:4]) if "." in collection else _century(int(collection[1:]))
    announced, basis = _announced(element.get("ingest-date", ""), said.get("year", ""), said.get("month", ""), today)
    return _Volume(collection, name, venue, year, _track(own, name, said.get("booktitle", "")), announced, basis)


def _track(own: str, volume: str, title: str) -> str:
    """The track of a volume: "" for the main one."""
    if own == "findings":
        return "Findings"
    if volume in _TRACKS or volume in _MAIN:
        return _TRACKS.get(volume, "")
    if named := next((track for pattern, track in _SAID if pattern.search(title)), ""):
        return named
    if re.search("workshop", title, re.I):
        return f"workshop: {title.partition('Workshop on ')[2] or title}"
    return "" if volume.isdecimal() or not volume.isalpha() else volume.capitalize()


def _entry(paper: etree._Element, key: str, title: str, volume: _Volume, today: date) -> EntryData:
    own = _day(paper.get("ingest-date", ""), today)
    notice = next((e for e in (paper.find("retracted"), paper.find("removed")) if e is not None), None)
    number = doi(_line(paper.find("doi")))
    names = (" ".join(_line(person.find(part)) for part in ("first", "last")).strip() for person in paper.iterfind("author"))
    return EntryData(
        SOURCE,
        key,
        Kind.PAPER,
        title,
        f"https://aclanthology.org/{key}/",
        abstract=clean_abstract(_said(paper.find("abstract"))),
        authors=tuple(n for n in names if n),
        announced=own or volume.announced,
        basis=Basis.STATED if own else volume.basis,
        venue=volume.venue,
        year=volume.year,
        track=volume.track,
        award="; ".join(a for e in paper.iterfind("award") if (a := _line(e))),
        identifiers=tuple(sorted({(SOURCE, key)} | ({("doi", number)} if number else set()))),
        comment="" if notice is None else clean_line(f"{str(notice.tag).capitalize()}: {_said(notice)}").rstrip(": "),
        withdrawn=notice is not None,
    )


def _key(paper: etree._Element, volume: _Volume) -> str:
    """The Anthology's id of the paper, as its address says it or put together; "" when neither can be had.

    Until 2019 the parts were padded by rules with exceptions, so that only the address tells.
    """
    said = _line(paper.find("url"))
    if _KEY.fullmatch(said) and said.startswith(f"{volume.collection}-"):
        return said
    number = paper.get("id", "")
    built = f"{volume.collection}-{volume.id}.{number}"
    return built if "." in volume.collection and _KEY.fullmatch(built) else ""


def _announced(ingested: str, year: str, month: str, today: date) -> tuple[date | None, Basis]:
    """The day on which the volume entered the Anthology; else, estimated, the first of its month or the last of its year.

    A journal's volume of this year grows: without a day its papers are dated by when they are first held.
    """
    if day := _day(ingested, today):
        return day, Basis.STATED
    number = _MONTHS.get(month[:3].lower(), 0)
    if not year.isdecimal() or not 1950 <= int(year) <= today.year:
        return None, Basis.HELD
    if number:
        first = date(int(year), number, 1)
        return (first, Basis.ESTIMATED) if first <= today else (None, Basis.HELD)
    return (date(int(year), 12, 31), Basis.ESTIMATED) if int(year) < today.year else (None, Basis.HELD)


def _day(text: str, today: date) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if _UNKNOWN < day <= today + timedelta(days=1) else None


def _century(year: int) -> int:
    return 1900 + year if year >= 60 else 2000 + year


def _line(element: etree._Element | None) -> str:
    return clean_line(_said(element))


def _said(element: etree._Element | None) -> str:
    """The text of an element with that of its markup; mathematics between dollars."""
    if element is None:
        return ""
    parts = [element.text or ""]
    for child in element:
        inner = _said(child)
        parts += [f"${inner}$" if child.tag == "tex-math" and inner else inner, child.tail or ""]
    return "".join(parts)
