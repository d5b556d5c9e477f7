"""arXiv's query API through the `arxiv` package, made safe: look-ups by id and searches.

The package (4.0) has no timeout, a fixed User-Agent, ignores Retry-After, takes half an answer for a whole one, an HTML page
for an empty result and arXiv's error entry for a paper. So its session sends through our `Fetcher`, and every page is held
against the counts that it states before the package sees it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import arxiv
import requests
from lxml import etree
from requests.adapters import BaseAdapter

from catalog.entries import Basis, Detail, EntryData, Kind
from catalog.errors import FetchError, ParseError
from catalog.identifiers import arxiv_id
from ingest.fetch import Fetcher
from ingest.formats import arxiv_names
from ingest.formats.arxiv_calendar import announcement_day
from ingest.formats.xml import read_xml

ENDPOINT = "https://export.arxiv.org/api/query?{}"
PAGE = 500  # entries; the API allows 2,000 and is known to answer large pages empty
IDS = 100  # per request
_TRIES = 3  # for pages that are short, empty or broken at random
_ATOM = "{http://www.w3.org/2005/Atom}"
_UNKNOWN = "0001-01-01T00:00:00Z"  # stands for a date that cannot be read: the package loses the entry or the page otherwise
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a query brought."""

    entries: tuple[EntryData, ...]
    rejected: Counter[str] = field(default_factory=Counter)


class _FetcherAdapter(BaseAdapter):
    """Lets a requests session send through the Fetcher, and refuses pages that are not whole."""

    def __init__(self, fetcher: Fetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The checked page; raises FetchError or ParseError. Time-outs and proxies are the Fetcher's."""
        url = str(request.url)
        body = self._page(url)
        response = requests.Response()
        response.status_code, response._content, response.url, response.request = 200, body, url, request
        return response

    def _page(self, url: str) -> bytes:
        for attempt in range(1, _TRIES + 1):
            answer = self._fetcher.get(url, total=60.0, also=frozenset({400}))
            try:
                return check_page(answer.body)
            except ParseError as error:
                if error.reason == "api-error" or attempt == _TRIES:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Nothing to close: the Fetcher belongs to the visit."""


def check_page(body: bytes) -> bytes:
    """The page when it holds as many entries as it says, made readable for the package.

    Raises ParseError otherwise, and for arXiv's error entry.
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
    return etree.tostring(root, encoding="utf-8")


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


def by_ids(fetcher: Fetcher, source: str, ids: Sequence[str], latest: date) -> Found:
    """The records of the ids that arXiv has, unknown ones left out; raises FetchError or ParseError."""
    entries: list[EntryData] = []
    rejected: Counter[str] = Counter()
    for i in range(0, len(ids), IDS):
        part = list(ids[i : i + IDS])
        found = _run(fetcher, arxiv.Search(id_list=part, max_results=len(part)), len(part), source, latest)
        entries += found.entries
        rejected += found.rejected
    return Found(tuple(entries), rejected)


def submitted_since(fetcher: Fetcher, source: str, category: str, since: datetime, until: datetime, latest: date) -> Found:
    """The category's papers submitted between two UTC instants, oldest first; raises FetchError or ParseError."""
    query = f"cat:{category} AND submittedDate:[{since:%Y%m%d%H%M} TO {until:%Y%m%d%H%M}]"
    search = arxiv.Search(
        query, max_results=None, sort_by=arxiv.SortCriterion.SubmittedDate, sort_order=arxiv.SortOrder.Ascending
    )
    return _run(fetcher, search, PAGE, source, latest)


def _run(fetcher: Fetcher, search: arxiv.Search, page: int, source: str, latest: date) -> Found:
    client = arxiv.Client(page_size=page, delay_seconds=0, num_retries=0)  # spacing and retries are the Fetcher's
    client.query_url_format = ENDPOINT
    client._session.mount("https://", _FetcherAdapter(fetcher))
    entries: dict[str, EntryData] = {}
    rejected: Counter[str] = Counter()
    try:
        for result in client.results(search):
            try:
                entry = entry_from_result(result, source, latest)
            except ParseError as error:
                rejected[error.reason] += 1
                continue
            entries[entry.key] = entry
    except arxiv.ArxivError as error:
        raise FetchError(error.url, "query-api", str(error)[:200]) from error
    return Found(tuple(entries.values()), rejected)


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
        comment=arxiv_names.title(result.comment or ""),
        journal=arxiv_names.title(result.journal_ref or ""),
        detail=Detail.BRIEF,
    )


def _believed(when: datetime, latest: date) -> datetime | None:
    """The instant in UTC; None when it lies before arXiv began or after `latest`."""
    when = when.astimezone(UTC)
    return when if when.year >= 1986 and when.date() <= latest else None
