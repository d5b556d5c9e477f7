"""arXiv's query API through the `arxiv` package, made safe: look-ups by id and searches.

The package (4.0) has no timeout, a fixed User-Agent and ignores Retry-After. So it says what to ask and reads what came
(ingest.formats.arxiv_results); the way out is our `Fetcher`, page by page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Concatenate, Protocol

import arxiv

from catalog.entries import EntryData
from catalog.errors import ParseError
from ingest.fetch import Answer, Fetcher
from ingest.formats.arxiv_results import Results, parse_results
from ingest.source import P, T

ENDPOINT = "https://export.arxiv.org/api/query?{}"
PAGE = 500  # entries; the API allows 2,000 and is known to answer large pages empty
IDS = 100  # per request
_TRIES = 3  # for pages that are short, empty or broken at random


class Asking(Protocol):
    """What is needed of a visit."""

    @property
    def http(self) -> Fetcher:
        """The way out."""

    def parse(self, read: Callable[Concatenate[bytes, P], T], answer: Answer, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function makes of the answer's body."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a query brought."""

    entries: tuple[EntryData, ...]
    rejected: Counter[str] = field(default_factory=Counter)


def by_ids(visit: Asking, source: str, ids: Sequence[str], latest: date) -> Found:
    """The records of the ids that arXiv has, unknown ones left out; raises FetchError or ParseError."""
    entries: list[EntryData] = []
    rejected: Counter[str] = Counter()
    for i in range(0, len(ids), IDS):
        part = list(ids[i : i + IDS])
        found = _read(visit, arxiv.Search(id_list=part), len(part), source, latest)
        entries += found.entries
        rejected += found.rejected
    return Found(tuple(entries), rejected)


def submitted_since(visit: Asking, source: str, category: str, since: datetime, until: datetime, latest: date) -> Found:
    """The category's papers submitted between two UTC instants, oldest first; raises FetchError or ParseError."""
    query = f"cat:{category} AND submittedDate:[{since:%Y%m%d%H%M} TO {until:%Y%m%d%H%M}]"
    search = arxiv.Search(query, sort_by=arxiv.SortCriterion.SubmittedDate, sort_order=arxiv.SortOrder.Ascending)
    return _read(visit, search, PAGE, source, latest)


def _read(visit: Asking, search: arxiv.Search, size: int, source: str, latest: date) -> Found:
    """All pages of a search."""
    client = arxiv.Client()
    client.query_url_format = ENDPOINT
    entries: dict[str, EntryData] = {}
    rejected: Counter[str] = Counter()
    start = 0
    while True:
        page = _page(visit, client._format_url(search, start, size), source, latest)
        entries |= {e.key: e for e in page.entries}
        rejected += page.rejected
        start += page.shown
        if not page.shown or start >= page.total:
            return Found(tuple(entries.values()), rejected)


def _page(visit: Asking, url: str, source: str, latest: date) -> Results:
    """A page that is whole, asked for up to three times; raises FetchError or the last ParseError."""
    for attempt in range(1, _TRIES + 1):
        answer = visit.http.get(url, total=60.0, also=frozenset({400}))
        try:
            return visit.parse(parse_results, answer, source, latest)
        except ParseError as error:
            if error.reason == "api-error" or attempt == _TRIES:
                raise
    raise AssertionError("unreachable")
