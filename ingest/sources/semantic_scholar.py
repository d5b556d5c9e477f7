"""Semantic Scholar: how often the papers that are held are cited.

Offers: https://api.semanticscholar.org/graph/v1/paper/batch, 500 ids a call. Terms:
https://www.semanticscholar.org/product/api/license, data under ODC-BY: citations are shown with the name. Rate: one request a
second for `SKILLFEED_SEMANTIC_SCHOLAR_KEY`; without it a pool that all share, which refuses when it is busy: that is not
configured, no failure. Cadence: nightly, up to 5,000 papers.

Papers of the last two years are gone through, the newest first, a part each night; then it begins again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from catalog.errors import FetchError, ParseError
from catalog.items import Signal
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings
from catalog.storage.sources import PartState
from ingest.cadence import Cadence
from ingest.formats.json_body import read_json, whole_number
from ingest.source import History, Page, Visit

NAME = "semantic-scholar"
BATCH = "https://api.semanticscholar.org/graph/v1/paper/batch?fields=externalIds,citationCount,influentialCitationCount"
PART = "citations"
AT_ONCE = 500  # ids in a call, as many as it takes
CALLS = 10  # of a visit
BACK = timedelta(days=730)
BUSY = "Semantic Scholar's shared pool is busy: set SKILLFEED_SEMANTIC_SCHOLAR_KEY"
_COUNTS = (("citations", "citationCount"), ("influential", "influentialCitationCount"))
_REFUSED = frozenset({401, 403, 429})


class SemanticScholar:
    """The source `semantic-scholar`."""

    name = NAME
    homepage = "https://www.semanticscholar.org/"
    summary = "Citations of the papers that are held"
    enabled = True

    def __init__(self, at_once: int = AT_ONCE) -> None:
        """`at_once` is how many papers a call asks for."""
        self._at_once = at_once

    def steps(self, settings: Settings) -> int:
        """One sweep."""
        return 1

    def visit(self, visit: Visit) -> None:
        """Ask for the papers that are next, batch by batch."""
        part, cursor = visit.begin(PART), visit.state(PART).cursor
        key = visit.settings.semantic_scholar_key.get_secret_value()
        since = visit.window.since if visit.window else visit.now().date() - BACK
        before: int | None = cursor.get("before") if visit.window is None else None
        for _ in range(CALLS):
            papers = visit.papers("arxiv", since, before, self._at_once)
            if not papers:
                if before is not None and visit.window is None:
                    visit.keep(part, Page(state=PartState({})))  # the next visit begins again with the newest
                break
            before = papers[-1][0]
            ids = tuple(dict.fromkeys(value for _, value in papers))
            try:
                signals = self._ask(visit, ids, key)
            except (FetchError, ParseError) as error:
                if isinstance(error, FetchError) and error.status == 429 and not key:
                    visit.fail(part, Outcome.NOT_CONFIGURED, BUSY)
                else:
                    visit.fail(part, Outcome.PARTIAL if part.counts.seen else Outcome.FAILED, str(error))
                return
            state = PartState({"before": before}) if visit.window is None else None
            visit.keep(part, Page(signals=signals, state=state, passed=len(ids)))
            part.outcome = Outcome.OK

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day later."""
        return Cadence(timedelta(days=1), timedelta(days=1)).next_due(self.name, now, run, history)

    def _ask(self, visit: Visit, ids: Sequence[str], key: str) -> tuple[Signal, ...]:
        headers = {"x-api-key": key} if key else {}
        answer = visit.http.post(BATCH, {"ids": [f"ARXIV:{i}" for i in ids]}, headers=headers, also=_REFUSED)
        if answer.status in _REFUSED:
            raise FetchError(answer.url, f"http-{answer.status}", f"the host answered {answer.status}", status=answer.status)
        return visit.parse(parse_citations, answer, tuple(ids), visit.now())


def parse_citations(body: bytes, ids: tuple[str, ...], now: datetime) -> tuple[Signal, ...]:
    """The counts of the papers that were asked for, in their order, those that are not known left out.

    Raises ParseError for an answer of another length or order.
    """
    rows = read_json(body)
    if not isinstance(rows, list) or len(rows) != len(ids):
        raise ParseError("no-batch", f"the answer is no list of the {len(ids)} papers that were asked for")
    found: list[Signal] = []
    for value, row in zip(ids, rows, strict=True):
        if not isinstance(row, dict):
            continue
        named = row.get("externalIds")
        told = named.get("ArXiv") if isinstance(named, dict) else None
        if isinstance(told, str) and told != value:
            raise ParseError("other-order", f"the answer has {told[:40]!r} where {value} was asked for")
        for name, field in _COUNTS:
            if (number := whole_number(row.get(field))) is not None:
                found.append(Signal("arxiv", value, NAME, name, float(number), now))
    return tuple(found)
