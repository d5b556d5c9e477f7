"""The proceedings of NeurIPS (proceedings.neurips.cc): the list of books, the index of a year, the page of a paper. Pure.

The value in an address (`…/2018/hash/<32 hex digits>-Abstract.html`) is, up to 2021, the MD5 of a submission's number, so
that other years have it again: keys carry the year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote

from catalog.entries import Basis, Detail, EntryData, Kind
from catalog.errors import ParseError
from catalog.text import clean_abstract, clean_line
from ingest.formats.html import Document, metas, path_of, read_html, text_of
from ingest.formats.json_body import read_json
from ingest.formats.paper_list import Link, PaperList, PaperPage, listed, names, turned

HOST = "https://proceedings.neurips.cc"
HOSTS = frozenset({"proceedings.neurips.cc", "proceedings.nips.cc", "papers.nips.cc", "papers.neurips.cc"})
BOOKS = f"{HOST}/paper_files/paper"
VENUE = "NeurIPS"

_BOOK = re.compile(r"(?:/paper_files)?/(?:paper|book)/(\d{4})(?:/[\w.-]+)?")
_PAPER = re.compile(r"(?:/paper_files)?/paper/(\d{4})/hash/([0-9a-f]{32})-Abstract(?:-([\w.-]+?))?\.html")
_PART = re.compile(r"/paper_files/paper/(\d{4})/(?!hash$|file$)[\w.-]+")
#: What a track is called in addresses, `data-track` and badges, in lower case with blanks; others are taken as said.
_TRACKS = {
    "none": "", "conference": "", "main conference": "", "main": "", "datasets and benchmarks": "Datasets and Benchmarks",
    "datasets benchmarks": "Datasets and Benchmarks", "round1": "Datasets and Benchmarks", "round2": "Datasets and Benchmarks",
    "position paper": "Position Paper", "creative ai": "Creative AI", "journal": "Journal",
}  # fmt: skip
_NO_ABSTRACT = frozenset({"abstract missing", "abstract unavailable", "abstract not available", "no abstract", "none", "n/a"})
_NO_AUTHOR = "Error"  # stands where the site has lost the names
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_AROUND = _HEADINGS | {"section", "footer", "form", "nav", "script", "style", "hr", "table"}
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")


def index_url(year: int) -> str:
    """The address of a year's index."""
    return f"{BOOKS}/{year}"


def parse_books(body: bytes) -> frozenset[int]:
    """The years that the list of books names; raises ParseError when the page is none or damaged."""
    page = read_html(body)
    if page.damage:
        raise ParseError("damaged", page.damage)
    links = [path_of(a.get("href") or "", BOOKS, HOSTS) for a in page.root.iter("a")]
    years = frozenset(int(m[1]) for path in links if (m := _BOOK.fullmatch(path.rstrip("/"))))
    if not years and not any(text_of(h).strip().lower() == "books" for h in page.root.iter(*_HEADINGS)):
        raise ParseError("no-books", "the page lists no books")
    return years


def parse_index(body: bytes, year: int, source: str, announced: date | None) -> PaperList:
    """The papers of a year or of a part of it, and the parts that the page links to; raises ParseError.

    `announced` is an estimate, None when there is none. The entries are brief: abstracts stand on the papers' pages.
    """
    page = read_html(body)
    entries, rejected = listed(_papers(page, year, source, announced))
    parts = _parts(page, year)
    if not entries and not rejected and not parts and not _is_index(page, year):
        raise ParseError("no-index", "the page is no index of papers")
    return PaperList(entries, rejected, page.damage, parts)


def _is_index(page: Document, year: int) -> bool:
    headings = (text_of(h) for h in page.root.iter(*_HEADINGS))
    return bool(page.root.find_class("paper-list")) or any(str(year) in h for h in headings)


def _parts(page: Document, year: int) -> tuple[Link, ...]:
    found: dict[str, Link] = {}
    for a in page.root.iter("a"):
        path = path_of(a.get("href") or "", BOOKS, HOSTS)
        m = _PART.fullmatch(path)
        if m and int(m[1]) == year:
            found.setdefault(path, Link(path, clean_line(text_of(a))))
    return tuple(found.values())


def _papers(page: Document, year: int, source: str, announced: date | None) -> Iterator[EntryData | str]:
    """Each paper, or why it is none."""
    rows: dict[Any, list[tuple[Any, str, re.Match[str]]]] = {}  # papers by the list item that they stand in
    for a in page.root.iter("a"):
        path = path_of(a.get("href") or "", BOOKS, HOSTS)
        if (m := _PAPER.fullmatch(path)) and int(m[1]) == year:
            rows.setdefault(next(a.iterancestors("li"), a), []).append((a, path, m))
    lists = {row.getparent() for row in rows if row.tag == "li"} | set(page.root.find_class("paper-list"))
    for row in [li for ul in lists for li in ul.iterchildren("li") if li not in rows]:
        if text_of(row).strip():
            yield "no-link"
    for row, found in rows.items():
        alone = len({m[2] for _, _, m in found}) == 1
        badges = row.find_class("paper-track-badge")
        said = (row.get("data-track") or "", text_of(badges[0]) if badges else "")
        for a, path, m in found:
            title = clean_line(text_of(a))
            if not title:
                yield "no-title"
                continue
            yield EntryData(
                source=source,
                key=f"{year}/{m[2]}",
                kind=Kind.PAPER,
                title=title,
                url=HOST + quote(path),
                authors=_authors(row) if alone else (),
                announced=announced,
                basis=Basis.ESTIMATED if announced else Basis.HELD,
                venue=VENUE,
                year=year,
                track=_track(m[3] or "", *said),
                identifiers=(("neurips", m[2]),),
                detail=Detail.BRIEF,
            )


def _authors(row: Any) -> tuple[str, ...]:
    said = row.find_class("paper-authors") or [i for i in row.iter("i") if next(i.iterancestors("a"), None) is None]
    return tuple(n for n in names(text_of(said[0])) if n != _NO_AUTHOR) if said else ()


def _track(*said: str) -> str:
    """The track by the first that names one: the address, the row, its badge."""
    track = next(filter(None, map(_plain_track, said)), "")
    return _TRACKS.get(track.lower(), track)


def _plain_track(text: str) -> str:
    """`Position_Paper_Track` as `Position Paper`."""
    return clean_line(re.sub(r"[_\s]+", " ", text), limit=100).removesuffix(" Track").removesuffix(" track")


def parse_paper(body: bytes, year: int, latest: date) -> PaperPage:
    """What a paper's page says; the abstract is "" when it has none. Raises ParseError when it is no paper's page.

    `latest` is the last day that a publication date may have.
    """
    page = read_html(body)
    abstract = _abstract(page.root)
    if not metas(page.root, "citation_title") and not page.root.find_class("paper-title") and abstract is None:
        raise ParseError("no-paper", "the page is not that of a paper")
    days = [d for text in metas(page.root, "citation_publication_date") if (d := _day(text, year, latest))]
    authors = tuple(n for text in metas(page.root, "citation_author") if (n := turned(text)))
    title = next(iter(metas(page.root, "citation_title")), "")
    return PaperPage(abstract or "", clean_line(title), authors, days[0] if days else None, page.damage, page.whole)


def parse_metadata(body: bytes) -> PaperPage:
    """What a paper's `-Metadata.json` says, which older years offer; raises ParseError."""
    said = read_json(body)
    if not isinstance(said, dict) or "title" not in said:
        raise ParseError("no-paper", "the metadata are not those of a paper")
    abstract, title, authors = said.get("abstract"), said["title"], said.get("authors")
    people = [a for a in authors if isinstance(a, dict)] if isinstance(authors, list) else []
    full = (clean_line(" ".join(str(a.get(k) or "") for k in ("given_name", "family_name"))) for a in people)
    texts = [text if isinstance(text, str) else "" for text in (abstract, title)]
    return PaperPage(_said(texts[0]), clean_line(texts[1]), tuple(filter(None, full)))


def metadata_url(url: str) -> str:
    """The address of a paper's metadata, given its page's; "" for years that do not offer them."""
    stem = url.removesuffix("-Abstract.html")
    return f"{stem.replace('/hash/', '/file/')}-Metadata.json" if stem != url else ""


def _abstract(root: Any) -> str | None:
    """The abstract, "" when the page leaves it out, None when there is no place for it.

    The element of the class holds a paragraph on the wire, and none once it is parsed: a paragraph ends where another begins.
    """
    marked = root.find_class("paper-abstract")[:1]
    if marked and (text := _said(text_of(marked[0]))):
        return text
    places = [*marked, *(h for h in root.iter(*_HEADINGS) if text_of(h).strip().rstrip(":").lower() == "abstract")]
    for place in places:
        texts = [place.tail or ""]
        for node in place.itersiblings():
            if node.tag in _AROUND:
                break
            texts += [text_of(node), node.tail or ""]
        if text := _said(" ".join(texts)):
            return text
    return "" if places else None


def _said(text: str) -> str:
    abstract = clean_abstract(text)
    return "" if abstract.lower().rstrip(".") in _NO_ABSTRACT else abstract


def _day(text: str, year: int, latest: date) -> date | None:
    """A whole date, not before the edition's year and not after the latest."""
    m = _DATE.fullmatch(text.strip())
    try:
        day = date(int(m[1]), int(m[2]), int(m[3])) if m else None
    except ValueError:
        return None
    return day if day and day.year >= year and day <= latest else None
