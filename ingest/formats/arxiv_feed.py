"""arXiv's daily announcement feeds (rss.arxiv.org, RSS 2.0), one category each.

Read from the tree that the repair of broken XML has made already: feedparser would parse its text again, in four times the
time.

Facts: `guid` is `oai:arXiv.org:<id>v<n>`; `arxiv:announce_type` is new, cross, replace or replace-cross, relative to the
category; the date is midnight US Eastern of the feed's day. No comment, no earlier versions, no submission instant: entries are
brief.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from catalog.entries import Basis, Detail, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import arxiv_id
from ingest.formats import arxiv_names
from ingest.formats.arxiv_calendar import EASTERN
from ingest.formats.xml import read_xml

_HEAD = re.compile(r"^\s*arXiv:\S+\s+Announce Type:\s*(?P<type>[a-z-]+)\s*(?:Abstract:\s*)?", re.I)
_ARXIV = "{http://arxiv.org/schemas/atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
ANNOUNCE_TYPES = ("new", "cross", "replace", "replace-cross")


@dataclass(frozen=True, slots=True)
class DailyFeed:
    """One day of one category."""

    day: date | None  # None when no date in it can be read
    entries: tuple[tuple[str, EntryData], ...]  # (announce type, entry)
    rejected: Counter[str] = field(default_factory=Counter)
    damage: str = ""
    mended: bool = False  # see ingest.formats.xml


def parse_daily(body: bytes, source: str, latest: date) -> DailyFeed:
    """The entries of a feed; dates after `latest` are not believed. Raises ParseError for what is no feed."""
    document = read_xml(body, "item")
    if document.root.tag != "rss":
        raise ParseError("no-feed", f"the root element is {str(document.root.tag)[:40]!r}, not rss")
    channel = document.root.find("channel")
    about = _texts(channel) if channel is not None else {}
    if about.get("title", "").startswith("Feed error for query"):
        raise ParseError("feed-error", f"arXiv answered with an error feed: {about.get('description', '')[:160]}")
    rejected: Counter[str] = Counter({"broken-xml": document.lost} if document.lost else {})
    found: dict[str, tuple[str, EntryData, date | None]] = {}
    for item in document.root.iter("item"):
        try:
            kind, entry, day = _entry(item, source, latest)
        except ParseError as error:
            rejected[error.reason] += 1
            continue
        if entry.key in found:
            rejected["duplicate"] += 1
        else:
            found[entry.key] = (kind, entry, day)
    days = Counter(day for _, _, day in found.values() if day)
    day = days.most_common(1)[0][0] if days else _day(about.get("pubDate"), latest)
    dated = tuple((kind, _date(entry, kind, own or day)) for kind, entry, own in found.values())
    return DailyFeed(day, dated, rejected, document.damage, document.mended)


def _entry(item: etree._Element, source: str, latest: date) -> tuple[str, EntryData, date | None]:
    raw = _texts(item)
    text = raw.get("description", "")
    said = re.match(r"\s*(arXiv:\S+)", text)
    named = [p for t in (raw.get("guid", ""), raw.get("link", ""), said[1] if said else "") if (p := arxiv_id(t))]
    paper = next((p for p in named if p.version), named[0] if named else None)
    if paper is None:
        raise ParseError("no-identifier", "neither guid nor link names an arXiv id")
    title = arxiv_names.title(raw.get("title", ""))
    if not title:
        raise ParseError("no-title", f"{paper} has no title")
    head = _HEAD.match(text)
    kind = raw.get(_ARXIV + "announce_type") or (head["type"] if head else "")
    if kind not in ANNOUNCE_TYPES:
        raise ParseError("no-announce-type", f"{paper} has announce type {kind[:20]!r}")
    version = paper.version or 1
    entry = EntryData(
        source=source,
        key=paper.id,
        kind=Kind.PAPER,
        title=title,
        url=paper.url,
        abstract=arxiv_names.abstract(text[head.end() :] if head else text),
        authors=arxiv_names.authors(raw.get(_DC + "creator") or raw.get("author", "")),
        version=version,
        categories=arxiv_names.categories([c.text or "" for c in item.iterchildren("category")]),
        identifiers=arxiv_names.identifiers(paper, raw.get(_ARXIV + "DOI", "")),
        journal=arxiv_names.line(raw.get(_ARXIV + "journal_reference", "")),
        licence=raw.get(_DC + "rights", "")[:200],
        detail=Detail.BRIEF,
    )
    return kind, entry, _day(raw.get("pubDate"), latest)


def _texts(parent: etree._Element) -> dict[str, str]:
    """The texts of the children by tag, the first of each that has one; markup that slipped in between is left out."""
    out: dict[str, str] = {}
    for child in parent:
        if not out.get(child.tag):
            out[child.tag] = ("".join(map(str, child.itertext())) if len(child) else child.text or "").strip()
    return out


def _date(entry: EntryData, kind: str, day: date | None) -> EntryData:
    """New papers carry the feed's date; a cross-listing may be of an older paper; a replacement says nothing of version 1."""
    if day is None or kind not in ("new", "cross"):
        return entry
    return replace(entry, announced=day, basis=Basis.STATED if kind == "new" else Basis.CROSS)


def _day(text: object, latest: date) -> date | None:
    """The US Eastern date of an RFC 822 date; None when it cannot be read or lies ahead."""
    try:
        when: datetime = parsedate_to_datetime(str(text))
        day = when.astimezone(EASTERN).date() if when.tzinfo else when.date()
    except (TypeError, ValueError, OverflowError):
        return None
    return day if date(1991, 1, 1) <= day <= latest else None
