"""CVF Open Access (openaccess.thecvf.com): the menu, the lists of papers, the page of a paper. Pure.

A collection is named as in its address: `CVPR2026`, `CVPR2026_findings`, `CVPR2026_workshops`. Papers are named by it and the
whole stem of their file, as folders changed over the years (`/content_CVPR_2019/html/`, `/content/CVPR2026W/ABAW/html/`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, unquote

from lxml import etree

from catalog.entries import Basis, Detail, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import arxiv_id
from catalog.text import clean_abstract, clean_line
from catalog.venues import venue_in
from ingest.formats.html import metas, path_of, read_html, text_of
from ingest.formats.paper_list import AUTHORS_LIMIT, Link, PaperList, PaperPage, listed

HOST = "https://openaccess.thecvf.com"
HOSTS = frozenset({"openaccess.thecvf.com"})
MENU = f"{HOST}/menu"

_COLLECTION = re.compile(r"/(([A-Z]{3,6})(\d{4})(?:_(findings|workshops))?)(?:/menu)?(?:\.py)?(?:\?day=all)?")
_DAY = re.compile(r"/([A-Z]{3,6}\d{4}(?:_findings)?)(?:\.py)?\?day=(\d{4}-\d\d-\d\d)")
_WORKSHOP = re.compile(r"/([A-Z]{3,6}\d{4}_workshops)/(?!menu(?:\.py)?$)[^/?]+")
_FILE = re.compile(r"/(?:[^/]+/)+html/(?:[^/]+/)?([^/?]+)\.html")
_PUBLISHED = re.compile(r"\(\s*Published:\s*([A-Za-z]{3,9} \d{1,2}, \d{4})\s*\)")
_MONTH = re.compile(r"\bmonth\s*=\s*[{\"]?\s*([A-Za-z]{3})")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_ROWS = frozenset("dd dt li p div tr h1 h2 h3 h4".split())  # what stands in one of them is about the links in it
_TRACKS = {"": "", "findings": "Findings", "workshops": ""}


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as the menu names it."""

    name: str  # CVPR2026, CVPR2026_findings, CVPR2026_workshops
    venue: str
    year: int
    kind: str  # "", findings or workshops
    text: str  # what the menu says of it: another text is another state of it
    published: date | None  # as the menu states it

    @property
    def conference(self) -> str:
        """The collection's conference: CVPR2026."""
        return self.name.partition("_")[0]


@dataclass(frozen=True, slots=True)
class Menu:
    """The menu of conferences."""

    collections: tuple[Collection, ...]
    damage: str


def parse_menu(body: bytes) -> Menu:
    """The collections, each once, in the menu's order; raises ParseError when the page is no menu."""
    page = read_html(body)
    said: dict[str, list[str]] = {}
    found: dict[str, re.Match[str]] = {}
    current = ""
    for event, node in etree.iterwalk(page.root, events=("start", "end")):
        if event == "start" and node.tag in _ROWS:
            current = ""
        if event == "start" and node.tag == "a" and (m := _collection(node)):
            current = m[1]
            found.setdefault(current, m)
        if current:
            said.setdefault(current, []).append((node.text if event == "start" else node.tail) or "")
    if not found:
        raise ParseError("no-menu", "the page lists no conferences")
    return Menu(tuple(_as_collection(found[name], clean_line(" ".join(texts))) for name, texts in said.items()), page.damage)


def _collection(a: Any) -> re.Match[str] | None:
    return _COLLECTION.fullmatch(path_of(a.get("href") or "", MENU, HOSTS))


def _as_collection(m: re.Match[str], text: str) -> Collection:
    published = _PUBLISHED.search(text)
    return Collection(
        m[1], venue_in(m[2]) or m[2], int(m[3]), m[4] or "", text, _published(published[1]) if published else None
    )


def _published(text: str) -> date | None:
    for form in ("%B %d, %Y", "%b %d, %Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def parse_days(body: bytes, collection: Collection) -> tuple[Link, ...]:
    """The lists by day that a conference's page links to, as 2020 and earlier have them; raises ParseError."""
    page = read_html(body)
    paths = (path_of(a.get("href") or "", MENU, HOSTS) for a in page.root.iter("a"))
    found = {p: m for p in paths if (m := _DAY.fullmatch(p)) and m[1] == collection.name}
    return tuple(Link(path, m[2]) for path, m in found.items())


def parse_workshops(body: bytes, collection: Collection) -> tuple[tuple[Link, ...], str]:
    """The lists of a conference's workshops and what is wrong with the page; raises ParseError for what is no page."""
    page = read_html(body)
    found: dict[str, Link] = {}
    for a in page.root.iter("a"):
        path = path_of(a.get("href") or "", f"{HOST}/{collection.name}/menu", HOSTS)
        m = _WORKSHOP.fullmatch(path)
        title = clean_line(text_of(a), limit=200)
        if m and m[1] == collection.name and title:
            found.setdefault(path, Link(path, title))
    if not found and page.root.find("body//dl") is None:
        raise ParseError("no-menu", "the page is no menu of workshops")
    return tuple(found.values()), page.damage


def parse_list(body: bytes, collection: Collection, source: str, latest: date, workshop: str = "") -> PaperList:
    """The papers of a list; raises ParseError when the page is no list.

    `latest` is the last day that a date may have. Papers with a link to arXiv are told in full, as their abstract stands there;
    the others are brief, as theirs stands on their own page.
    """
    page = read_html(body)
    heads = page.root.find_class("ptitle")
    if not heads and page.root.find("body//dl") is None:
        raise ParseError("no-list", "the page lists no papers")
    return PaperList(*listed(_papers(heads, collection, source, latest, workshop)), page.damage)


def _papers(heads: list[Any], collection: Collection, source: str, latest: date, workshop: str) -> Iterator[EntryData | str]:
    """Each paper, or why it is none."""
    for head in heads:
        link = next(head.iter("a"), None)
        path = path_of(link.get("href") or "", MENU, HOSTS) if link is not None else ""
        file = _FILE.fullmatch(path)
        if link is None or file is None:
            yield "no-link"
            continue
        title = clean_line(text_of(link))
        if not title:
            yield "no-title"
            continue
        details = _details(head)
        key = f"{collection.name}/{unquote(file[1])}"
        papers = {found.id for d in details for a in d.iter("a") if (found := arxiv_id(a.get("href") or ""))}
        on_arxiv = {("arxiv", paper) for paper in papers} if len(papers) == 1 else set()
        day, basis = _announced(collection, details, latest)
        yield EntryData(
            source=source,
            key=key,
            kind=Kind.PAPER,
            title=title,
            url=HOST + quote(path, safe="/%"),
            authors=_authors(details),
            announced=day,
            basis=basis,
            venue=collection.venue,
            year=collection.year,
            track=f"workshop: {workshop}" if workshop else _TRACKS[collection.kind],
            identifiers=tuple(sorted({("cvf", key)} | on_arxiv)),
            detail=Detail.FULL if on_arxiv else Detail.BRIEF,
        )


def _details(head: Any) -> list[Any]:
    """What stands between a title and the next one."""
    out = []
    for node in head.itersiblings():
        if node.tag == "dt" or "ptitle" in (node.get("class") or ""):
            break
        out.append(node)
    return out


def _authors(details: list[Any]) -> tuple[str, ...]:
    fields = (i for d in details for i in d.iter("input") if i.get("name") == "query_author")
    return tuple(name for i in fields if (name := clean_line(i.get("value") or "")))[:AUTHORS_LIMIT]


def _announced(collection: Collection, details: list[Any], latest: date) -> tuple[date | None, Basis]:
    """The menu's date, else the month of the meeting as the paper's BibTeX names it."""
    if collection.published and collection.published <= latest:
        return collection.published, Basis.STATED
    for record in (text_of(r) for d in details for r in d.find_class("bibref")):
        m = _MONTH.search(record)
        if m and m[1].lower() in _MONTHS:
            day = date(collection.year, _MONTHS.index(m[1].lower()) + 1, 1)
            return (day, Basis.ESTIMATED) if day <= latest else (None, Basis.HELD)
    return None, Basis.HELD


def parse_paper(body: bytes) -> PaperPage:
    """What a paper's page adds; the abstract is "" when it has none. Raises ParseError when it is no paper's page."""
    page = read_html(body)
    places = page.root.xpath("//*[@id='abstract']")
    if not places and not metas(page.root, "citation_title") and not page.root.xpath("//*[@id='papertitle']"):
        raise ParseError("no-paper", "the page is not that of a paper")
    abstract = clean_abstract(text_of(places[0])) if places else ""
    return PaperPage(abstract, damage=page.damage, whole=page.whole)
