"""arXiv over OAI-PMH 2.0 (oaipmh.arxiv.org), metadata format `arXivRaw`.

`arXivRaw` and not `arXiv`, because only it lists the versions with their instants and marks withdrawals (source type I). All
protocol errors come with HTTP 200; `noRecordsMatch` means nothing new. Source: openarchives.org/OAI/openarchivesprotocol.html.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from catalog.entries import Basis, EntryData, Kind, Version
from catalog.errors import ParseError
from catalog.identifiers import arxiv_id
from catalog.text import unaccent_tex
from ingest.formats import arxiv_names
from ingest.formats.arxiv_calendar import announcement_day
from ingest.formats.titles import Titles
from ingest.formats.xml import read_xml

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_RAW = "{http://arxiv.org/OAI/arXivRaw/}"
_MONTHS = {name: n for n, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_USUAL = re.compile(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d?) ({'|'.join(_MONTHS)}) (\d{{4}}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)
_NUMBER = re.compile(r"v?([1-9]\d{0,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class OaiPage:
    """One answer to ListRecords."""

    entries: tuple[EntryData, ...]
    deleted: tuple[str, ...]  # keys
    rejected: Counter[str] = field(default_factory=Counter)
    token: str = ""  # "" at the end of the list
    response_date: date | None = None  # UTC; None when it cannot be read
    last_day: date | None = None  # newest datestamp on the page, for progress
    error: str = ""  # OAI error code: noRecordsMatch, badResumptionToken, …
    message: str = ""
    damage: str = ""
    mended: bool = False  # see ingest.formats.xml; markup in a title, which arXiv's do not have, is such a sign too


def parse_oai(body: bytes, source: str, latest: date) -> OaiPage:
    """The records of a page; instants after `latest` are not believed. Raises ParseError for what is no OAI-PMH answer."""
    document = read_xml(body, "record")
    root = document.root
    if root.tag != _OAI + "OAI-PMH":
        raise ParseError("no-oai", f"the root element is {str(root.tag)[:60]!r}, not OAI-PMH")
    responded = _instant(root.findtext(_OAI + "responseDate"), latest)
    error = root.find(_OAI + "error")
    if error is not None:
        text = " ".join((error.text or "").split())[:200]
        return OaiPage((), (), response_date=_date_of(responded), error=error.get("code", "unknown"), message=text)
    records = root.find(_OAI + "ListRecords")
    if records is None:
        records = root.find(_OAI + "GetRecord")
    if records is None:
        raise ParseError("no-records", "the OAI-PMH answer holds neither records nor an error")
    rejected: Counter[str] = Counter({"broken-xml": document.lost} if document.lost else {})
    titles = Titles()
    entries: dict[str, EntryData] = {}
    deleted: list[str] = []
    last: date | None = None
    for record in records.iterfind(_OAI + "record"):
        try:
            stamp, found = _record(record, titles, source, latest)
        except ParseError as problem:
            rejected[problem.reason] += 1
            continue
        last = max(last, stamp) if last and stamp else last or stamp
        if isinstance(found, str):
            deleted.append(found)
        elif found.key in entries:
            rejected["duplicate"] += 1
        else:
            entries[found.key] = found
    token = " ".join((records.findtext(_OAI + "resumptionToken") or "").split())
    return OaiPage(
        tuple(entries.values()),
        tuple(deleted),
        rejected,
        token,
        _date_of(responded),
        last,
        damage=document.damage or titles.damage,
        mended=document.mended or bool(titles.marked),
    )


def _record(record: etree._Element, titles: Titles, source: str, latest: date) -> tuple[date | None, EntryData | str]:
    """The datestamp and the entry of a record, or the key of a deleted one."""
    header = record.find(_OAI + "header")
    about = _texts(header)
    named = arxiv_id(about.get(_OAI + "identifier", ""))
    stamp = _day(about.get(_OAI + "datestamp"), latest)
    if header is not None and header.get("status") == "deleted":
        if named is None:
            raise ParseError("no-identifier", "a deleted record names no arXiv id")
        return stamp, named.id
    metadata = record.find(_OAI + "metadata")
    raw = metadata.find(_RAW + "arXivRaw") if metadata is not None else None
    if raw is None:
        raise ParseError("no-metadata", "a record has no arXivRaw metadata")
    said = _texts(raw)
    paper = arxiv_id(said.get(_RAW + "id", "")) or named
    if paper is None:
        raise ParseError("no-identifier", "a record names no arXiv id")
    title = unaccent_tex(titles.clean(said.get(_RAW + "title", "")))
    if not title:
        raise ParseError("no-title", f"{paper} has no title")
    by_number = {v.number: v for e in raw.iterchildren(_RAW + "version") if (v := _version(e, latest))}
    versions = tuple(v for _, v in sorted(by_number.items()))
    first, last = (versions[0], versions[-1]) if versions else (None, None)
    submitted = first.at if first and first.number == 1 else None
    announced = announcement_day(submitted) if submitted else stamp
    return stamp, EntryData(
        source=source,
        key=paper.id,
        kind=Kind.PAPER,
        title=title,
        url=paper.url,
        abstract=arxiv_names.abstract(said.get(_RAW + "abstract", "")),
        authors=arxiv_names.authors(said.get(_RAW + "authors", "")),
        announced=min(announced, latest) if announced else None,
        basis=Basis.ESTIMATED if submitted else Basis.HELD,
        submitted=submitted,
        updated=last.at if last else None,
        version=last.number if last else 1,
        versions=versions,
        categories=arxiv_names.categories(said.get(_RAW + "categories", "").split()),
        identifiers=arxiv_names.identifiers(paper, said.get(_RAW + "doi", "")),
        comment=arxiv_names.line(said.get(_RAW + "comments", "")),
        journal=arxiv_names.line(said.get(_RAW + "journal-ref", "")),
        licence=said.get(_RAW + "license", "").strip()[:200],
        withdrawn=bool(last and last.withdrawn),
    )


def _texts(parent: etree._Element | None) -> dict[str, str]:
    """The texts of the children by tag, the first of each; one walk costs a fifth of looking them up one by one."""
    out: dict[str, str] = {}
    for child in parent if parent is not None else ():
        out.setdefault(child.tag, child.text or "")
    return out


def _version(element: etree._Element, latest: date) -> Version | None:
    number = _NUMBER.fullmatch(element.get("version", "").strip())
    if number is None:
        return None
    said = _texts(element)
    at = _instant(said.get(_RAW + "date"), latest)
    return Version(int(number[1]), at, said.get(_RAW + "source_type", "").strip() == "I")


def _instant(text: str | None, latest: date) -> datetime | None:
    """An RFC 822 or ISO instant in UTC, without one a UTC day earlier than 1986 or after `latest`; else None."""
    text = (text or "").strip()
    try:
        if usual := _USUAL.fullmatch(text):  # as arXiv writes it; the library takes 7 µs for what takes 2
            day, month, year, hour, minute, second = usual.groups()
            when = datetime(int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        else:
            when = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
            when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return when if when.year >= 1986 and when.date() <= latest else None


def _day(text: str | None, latest: date) -> date | None:
    try:
        day = date.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return day if day <= latest else None


def _date_of(when: datetime | None) -> date | None:
    return when.date() if when else None
