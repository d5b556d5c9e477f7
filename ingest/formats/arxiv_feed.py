"""arXiv's daily announcement feeds (rss.arxiv.org, RSS 2.0), one category each, read with feedparser.

Facts: `guid` is `oai:arXiv.org:<id>v<n>`; `arxiv:announce_type` is new, cross, replace or replace-cross, relative to the
category; the date is midnight US Eastern of the feed's day. No comment, no earlier versions, no submission instant: entries are
brief.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import feedparser

from catalog.entries import Basis, Detail, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import arxiv_id
from ingest.formats import arxiv_names
from ingest.formats.arxiv_calendar import EASTERN
from ingest.formats.xml import read_xml

_HEAD = re.compile(r"^\s*arXiv:\S+\s+Announce Type:\s*(?P<type>[a-z-]+)\s*(?:Abstract:\s*)?", re.I)
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
    # Bytes in a file object only: feedparser opens addresses and files that it is given as text or bytes.
    parsed = feedparser.parse(
        io.BytesIO(document.text.encode("utf-8", "replace")),
        response_headers={"content-type": "application/rss+xml; charset=utf-8", "content-location": "https://rss.arxiv.org/"},
        sanitize_html=False,  # titles hold "x<y", which the sanitiser would take for a tag; catalog.text cleans them
        resolve_relative_uris=False,
    )
    channel = parsed.feed
    if str(channel.get("title", "")).startswith("Feed error for query"):
        raise ParseError("feed-error", f"arXiv answered with an error feed: {str(channel.get('subtitle', ''))[:160]}")
    rejected: Counter[str] = Counter({"broken-xml": document.lost} if document.lost else {})
    found: dict[str, tuple[str, EntryData, date | None]] = {}
    for raw in parsed.entries:
        try:
            kind, entry, day = _entry(raw, source, latest)
        except ParseError as error:
            rejected[error.reason] += 1
            continue
        if entry.key in found:
            rejected["duplicate"] += 1
        else:
            found[entry.key] = (kind, entry, day)
    days = Counter(day for _, _, day in found.values() if day)
    day = days.most_common(1)[0][0] if days else _day(channel.get("published"), latest)
    dated = tuple((kind, _date(entry, kind, own or day)) for kind, entry, own in found.values())
    return DailyFeed(day, dated, rejected, document.damage, document.mended)


def _entry(raw: Mapping[str, Any], source: str, latest: date) -> tuple[str, EntryData, date | None]:
    text = str(raw.get("summary", ""))
    said = re.match(r"\s*(arXiv:\S+)", text)
    named = [p for t in (raw.get("id", ""), raw.get("link", ""), said[1] if said else "") if (p := arxiv_id(str(t)))]
    paper = next((p for p in named if p.version), named[0] if named else None)
    if paper is None:
        raise ParseError("no-identifier", "neither guid nor link names an arXiv id")
    title = arxiv_names.title(str(raw.get("title", "")))
    if not title:
        raise ParseError("no-title", f"{paper} has no title")
    head = _HEAD.match(text)
    kind = str(raw.get("arxiv_announce_type") or (head["type"] if head else "")).strip()
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
        authors=arxiv_names.authors(str(raw.get("author", ""))),
        version=version,
        categories=arxiv_names.categories([str(t.get("term", "")) for t in raw.get("tags", ())]),
        identifiers=arxiv_names.identifiers(paper, str(raw.get("arxiv_doi", ""))),
        journal=arxiv_names.line(str(raw.get("arxiv_journal_reference", ""))),
        licence=str(raw.get("rights", "")).strip()[:200],
        detail=Detail.BRIEF,
    )
    return kind, entry, _day(raw.get("published"), latest)


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
