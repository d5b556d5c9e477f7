"""A page of arXiv's query API, read by the `arxiv` package and made safe.

The package (4.0) takes half an answer for a whole one, an HTML page for an empty result and arXiv's error entry for a paper. So
a page is held against the counts that it states before the package sees it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import arxiv
import requests
from lxml import etree
from requests.adapters import BaseAdapter

from catalog.entries import Basis, Detail, EntryData, Kind
from catalog.errors import ParseError
from catalog.identifiers import arxiv_id
from ingest.formats import arxiv_names
from ingest.formats.arxiv_calendar import announcement_day
from ingest.formats.xml import read_xml

_ATOM = "{http://www.w3.org/2005/Atom}"
_UNKNOWN = "0001-01-01T00:00:00Z"  # stands for a date that cannot be read: the package loses the entry or the page otherwise
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


@dataclass(frozen=True, slots=True)
class Results:
    """One page of results."""

    shown: int  # entries on the page, as it states and as it holds
    total: int  # entries on all pages, as it states
    entries: tuple[EntryData, ...]
    rejected: Counter[str] = field(default_factory=Counter)


class _Given(BaseAdapter):
    """Answers a requests session with a page that is there already."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The page."""
        response = requests.Response()
        response.status_code, response._content, response.url = 200, self._body, str(request.url)
        return response

    def close(self) -> None:
        """Nothing to close."""


def parse_results(body: bytes, source: str, latest: date) -> Results:
    """The results of a page; instants after `latest` are not believed.

    Raises ParseError for a page that is not whole and for arXiv's error entry.
    """
    whole, shown, total = check_page(body)
    entries: list[EntryData] = []
    rejected: Counter[str] = Counter()
    client = arxiv.Client(page_size=max(shown, 1), delay_seconds=0, num_retries=0)
    client._session.mount("https://", _Given(whole))
    for result in client.results(arxiv.Search(max_results=shown)) if shown else ():
        try:
            entries.append(entry_from_result(result, source, latest))
        except ParseError as error:
            rejected[error.reason] += 1
    return Results(shown, total, tuple(entries), rejected)


def check_page(body: bytes) -> tuple[bytes, int, int]:
    """The page made readable for the package, how many entries it holds, and how many all pages do.

    Raises ParseError when it holds another number than it says, and for arXiv's error entry.
    """
    document = read_xml(body, "entry")
    root = document.root
    if root.tag != _ATOM + "feed":
        raise ParseError("no-feed", f"the root element is {str(root.tag)[:40]!r}, not an Atom feed")
    entries = root.findall(_ATOM + "entry")
    for entry in entries:
        if "/api/errors" in (entry.findtext(_ATOM + "id") or ""):
            raise ParseError(
                "api-error", f"arXiv refused the query: {' '.join((entry.findtext(_ATOM + 'summary') or '').split())[:200]}"
            )
    try:
        total, size, start = (int(root.findtext(_OPENSEARCH + n) or "") for n in ("totalResults", "itemsPerPage", "startIndex"))
    except ValueError:
        raise ParseError("no-counts", "the answer states no counts") from None
    expected = max(0, min(size, total - start))
    if document.damage or len(entries) != expected:
        raise ParseError("count-differs", f"the answer holds {len(entries)} entries where its counts say {expected}")
    for entry in entries:
        _complete(entry)
    return etree.tostring(root, encoding="utf-8"), len(entries), total


def _complete(entry: etree._Element) -> None:
    """Fill in id and dates that are missing or cannot be read: an entry that the package skips shifts all that follow it."""
    for name in ("id", "updated", "published"):
        element = entry.find(_ATOM + name)
        if element is None:
            element = etree.SubElement(entry, _ATOM + name)
        text = (element.text or "").strip()
        if name == "id":
            element.text = text or "unknown"
            continue
        try:
            datetime.fromisoformat(text).astimezone(UTC)
            element.text = text
        except (ValueError, OverflowError):
            element.text = _UNKNOWN


def entry_from_result(result: arxiv.Result, source: str, latest: date) -> EntryData:
    """The entry of one result; raises ParseError when it names no paper or has no title."""
    paper = arxiv_id(result.entry_id)
    if paper is None:
        raise ParseError("no-identifier", f"the entry id {result.entry_id[:60]!r} names no arXiv id")
    title = arxiv_names.title(result.title)
    if not title:
        raise ParseError("no-title", f"{paper} has no title")
    submitted, updated = (_believed(d, latest) for d in (result.published, result.updated))
    return EntryData(
        source=source,
        key=paper.id,
        kind=Kind.PAPER,
        title=title,
        url=paper.url,
        abstract=arxiv_names.abstract(result.summary),
        authors=tuple(n for a in result.authors for n in arxiv_names.authors(a.name.replace(",", " "))),
        announced=min(announcement_day(submitted), latest) if submitted else None,
        basis=Basis.ESTIMATED if submitted else Basis.HELD,
        submitted=submitted,
        updated=updated,
        version=paper.version or 1,
        categories=arxiv_names.categories([result.primary_category, *result.categories]),
        identifiers=arxiv_names.identifiers(paper, result.doi or ""),
        comment=arxiv_names.line(result.comment or ""),
        journal=arxiv_names.line(result.journal_ref or ""),
        detail=Detail.BRIEF,
    )


def _believed(when: datetime, latest: date) -> datetime | None:
    """The instant in UTC; None when it lies before arXiv began or after `latest`."""
    when = when.astimezone(UTC)
    return when if when.year >= 1986 and when.date() <= latest else None
