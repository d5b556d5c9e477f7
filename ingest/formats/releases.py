"""Releases of libraries: GitHub's feeds (Atom), PyPI's (RSS 2.0) and CRANberries, which follows CRAN (RSS)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from catalog.entries import Basis, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import canonical_url
from catalog.text import clean_block, clean_line
from ingest.formats.paper_list import listed
from ingest.formats.xml import read_xml

RELEASES = "releases"
_ATOM = "{http://www.w3.org/2005/Atom}"
_VERSION = re.compile(r"(?<![\w.])v?(?P<number>\d+(?:\.\d+){1,3})(?P<rest>[\w.+-]*)", re.I)
_CRAN = (
    re.compile(r"Package (?P<name>[\w.]+) updated to version (?P<version>[\d.-]+)", re.I),
    re.compile(r"New package (?P<name>[\w.]+) with initial version (?P<version>[\d.-]+)", re.I),
)
_NOTES_LIMIT = 3_000  # characters


@dataclass(frozen=True, slots=True)
class Library:
    """A library whose releases are followed."""

    name: str
    repository: str  # owner/name on GitHub; names its releases whatever it is called there later
    package: str = ""  # on PyPI


@dataclass(frozen=True, slots=True)
class ReleaseFeed:
    """What a feed holds."""

    entries: tuple[EntryData, ...]
    rejected: Counter[str]
    passed: int  # pre-releases and patches
    damage: str = ""


def parse_github(body: bytes, library: Library, latest: date) -> ReleaseFeed:
    """The minor and major releases of a repository's feed; raises ParseError for what is no Atom feed.

    GitHub dates a release by its last change, so the day is an estimate.
    """
    document = read_xml(body, "entry")
    if document.root.tag != f"{_ATOM}feed":
        raise ParseError("no-feed", f"the root element is {str(document.root.tag)[:60]!r}, no Atom feed")
    found = []
    for element in document.root.iter(f"{_ATOM}entry"):
        link = element.find(f"{_ATOM}link")
        notes = re.sub(r"<[^<>]{0,2000}>", " ", element.findtext(f"{_ATOM}content") or "")
        address = (link.get("href") or "") if link is not None else ""
        tag = (element.findtext(f"{_ATOM}id") or "").rpartition("/")[2]
        said = (tag, element.findtext(f"{_ATOM}title") or "")
        day = _day(element.findtext(f"{_ATOM}updated") or "", latest)
        found.append(_release(library, said, address, day, Basis.ESTIMATED, notes))
    return _feed(found, document.lost, document.damage)


def parse_pypi(body: bytes, library: Library, latest: date) -> ReleaseFeed:
    """The minor and major releases of a package's feed on PyPI, without notes; raises ParseError for what is no RSS feed."""
    document = read_xml(body, "item")
    found = [
        _release(library, (_text(item, "title"),), _text(item, "link"), _day(_text(item, "pubDate"), latest), Basis.STATED, "")
        for item in _items(document.root)
    ]
    return _feed(found, document.lost, document.damage)


def parse_cran(body: bytes, packages: Iterable[str], latest: date) -> ReleaseFeed:
    """Minor and major releases of these packages in CRANberries' feed; raises ParseError for what is no RSS feed."""
    document = read_xml(body, "item")
    wanted = {name.casefold(): name for name in packages}
    found: list[_Found] = []
    other = 0
    for item in _items(document.root):
        title = _text(item, "title")
        m = next((m for pattern in _CRAN if (m := pattern.match(title))), None)
        if m is None or m["name"].casefold() not in wanted:
            other += 1
            continue
        name = wanted[m["name"].casefold()]
        page = f"https://cran.r-project.org/package={name}"
        day = _day(_text(item, "pubDate"), latest)
        one = _release(Library(name, f"cran/{name}"), (m["version"].replace("-", "."),), page, day, Basis.STATED, "")
        found.append(one)
    feed = _feed(found, document.lost, document.damage, whole=False)
    return ReleaseFeed(feed.entries, feed.rejected, feed.passed + other, feed.damage)


_Numbers = tuple[int, ...]
_Found = tuple[EntryData, _Numbers] | str


def _release(library: Library, said: Iterable[str], address: str, day: date | None, basis: Basis, notes: str) -> _Found:
    """A release with its numbers; "pre" for a pre-release, else the reason for which it is none."""
    m = next((m for text in said if (m := _VERSION.search(text))), None)
    if m is None:
        return "no-version"
    if m["rest"]:
        return "pre"
    numbers = tuple(int(n) for n in m["number"].split("."))
    version = ".".join(map(str, numbers))
    page = address if canonical_url(address) else f"https://github.com/{library.repository}/releases"
    own = "cran" if library.repository.startswith("cran/") else library.repository
    entry = EntryData(
        RELEASES,
        f"{library.repository} {version}",
        Kind.RELEASE,
        f"{library.name} {version}",
        page,
        abstract=clean_block(notes, _NOTES_LIMIT),
        announced=day,
        basis=basis if day else Basis.HELD,
        about=(("library", own), ("version", version)),
    )
    return entry, numbers


def _feed(found: Iterable[_Found], lost: int, damage: str, *, whole: bool = True) -> ReleaseFeed:
    """The first release of each minor version; patches of it and pre-releases are passed over.

    Some libraries begin a minor version with .1: the least that the feed has counts, unless older ones may lie behind its end.
    """
    rows = list(found)
    passed = sum(r == "pre" for r in rows)
    told = [r for r in rows if not isinstance(r, str)]
    least: dict[_Numbers, _Numbers] = {}
    for _, numbers in told:
        least[numbers[:2]] = min(least.get(numbers[:2], numbers), numbers)
    oldest = min(least, default=())
    first: list[EntryData | str] = [r for r in rows if isinstance(r, str) and r != "pre"]
    for entry, numbers in told:
        patch = any(numbers[2:])
        if not patch or (whole and least[numbers[:2]] == numbers and numbers[:2] != oldest):
            first.append(entry)
        else:
            passed += 1
    entries, rejected = listed(first)
    if lost:
        rejected["broken-xml"] += lost
    return ReleaseFeed(entries, rejected, passed, damage)


def _items(root: etree._Element) -> Iterator[etree._Element]:
    if root.tag not in ("rss", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"):
        raise ParseError("no-feed", f"the root element is {str(root.tag)[:60]!r}, no RSS feed")
    return root.iter("item")


def _text(item: etree._Element, name: str) -> str:
    return clean_line(item.findtext(name) or "", 500)


def _day(text: str, latest: date) -> date | None:
    """The day of an RFC 3339 or RFC 822 date; one that is ahead is not believed."""
    try:
        at = datetime.fromisoformat(text) if text[:4].isdecimal() else parsedate_to_datetime(text)
        day = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).date()
    except (ValueError, TypeError, OverflowError):
        return None
    return day if date(1990, 1, 1) <= day <= latest else None
