"""Hacker News: stories about machine learning that others found worth a vote.

Offers: Algolia's search, https://hn.algolia.com/api/v1/search_by_date, without a key, up to 1,000 stories a query. Terms:
https://www.algolia.com/policies/terms/, https://github.com/HackerNews/API; titles and links are kept, no comments. Rate: about
10,000 requests an hour for an address; some ten a visit are needed. Cadence: hourly.

A story about a paper, a competition or the like makes points and comments signals of that. The last 48 hours are read again, as
points move.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import PartState
from ingest.attempts import lost
from ingest.cadence import Cadence
from ingest.formats.hacker_news import HACKERNEWS, Stories, parse_stories
from ingest.source import History, Page, Visit

SEARCH = "https://hn.algolia.com/api/v1/search_by_date"
ON_A_PAGE = 100
REACH = 1_000  # stories of a query that can be had; beyond, it is asked again for what is older
PAGES = 50  # of one query
FIRST = timedelta(days=7)  # that a first visit looks back
AGAIN = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: words, the least points, and where the words must stand ("" anywhere)."""

    name: str
    words: str
    points: int
    field: str = "title"


SEARCHES = (
    Search("arxiv", "arxiv.org", 0, "url"),
    Search("openreview", "openreview.net", 0, "url"),
    Search("kaggle", "kaggle.com", 5, "url"),
    Search("machine-learning", '"machine learning"', 20),
    Search("deep-learning", '"deep learning"', 20),
    Search("neural", '"neural network"', 20),
    Search("llm", "LLM", 50),
    Search("language-models", '"language model"', 20),
    Search("reinforcement-learning", '"reinforcement learning"', 20),
    Search("diffusion", '"diffusion model"', 20),
    Search("pytorch", "PyTorch", 20),
    Search("data-science", '"data science"', 20),
)


class HackerNews:
    """The source `hackernews`."""

    name = HACKERNEWS
    homepage = "https://news.ycombinator.com/"
    summary = "Stories about machine learning, and what is said of papers, with points and comments"
    enabled = True

    def __init__(self, searches: tuple[Search, ...] = SEARCHES) -> None:
        """`searches` are what is looked for."""
        self._searches = searches

    def steps(self, settings: Settings) -> int:
        """A part for each search."""
        return len(self._searches)

    def visit(self, visit: Visit) -> None:
        """Ask each search for what is new, and again for the last two days."""
        for search in self._searches:
            part = visit.begin(search.name)
            try:
                _read(visit, part, search)
            except (FetchError, ParseError) as error:
                visit.fail(part, Outcome.PARTIAL if part.counts.seen else Outcome.FAILED, str(error))

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """An hour later, up to three while nothing comes."""
        return Cadence(timedelta(hours=1), timedelta(hours=3)).next_due(self.name, now, run, history)


def _read(visit: Visit, part: Part, search: Search) -> None:
    now = visit.now()
    since, until = _bounds(visit, part.name, now)
    stated = read = wrong = works = 0
    keys: set[str] = set()
    end, number = until, 0
    for _ in range(PAGES):
        page = _page(visit, search, since, end, number)
        stated = stated or page.found
        read += page.rows
        wrong += lost(page.rejected)
        works += page.works
        keys |= {e.key for e in page.entries}
        if page.rows:
            visit.keep(part, Page(page.entries, (), page.rejected, signals=page.signals, passed=page.works))
        if page.rows < ON_A_PAGE:
            break
        number += 1
        if number * ON_A_PAGE >= REACH:
            end, number = page.oldest, 0
    part.announced, part.held = len(keys) + works + wrong, len(visit.held(keys)) + works
    part.outcome = Outcome.OK if read else Outcome.EMPTY
    if wrong:
        visit.fail(part, Outcome.PARTIAL, f"{wrong} stories were lost")
    elif read < stated:
        visit.fail(part, Outcome.PARTIAL, f"the search states {stated} stories and gave {read}")
    elif visit.window is None and visit.state(part.name).cursor.get("at") != now.isoformat():
        visit.keep(part, Page(state=PartState({"at": now.isoformat()})))


def _bounds(visit: Visit, name: str, now: datetime) -> tuple[int, int]:
    """Seconds since 1970 between which stories are asked for."""
    if visit.window is not None:
        first = datetime.combine(visit.window.since, datetime.min.time(), now.tzinfo)
        last = datetime.combine(visit.window.until or now.date(), datetime.max.time(), now.tzinfo)
        return int(first.timestamp()), int(min(last, now).timestamp()) + 1
    at = visit.state(name).cursor.get("at")
    since = min(datetime.fromisoformat(at), now) - AGAIN if at else now - FIRST
    return int(since.timestamp()), int(now.timestamp()) + 1


def _page(visit: Visit, search: Search, since: int, until: int, number: int) -> Stories:
    conditions = [f"created_at_i>={since}", f"created_at_i<{until}", *([f"points>={search.points}"] if search.points else [])]
    asked = {
        "query": search.words, "tags": "story", "numericFilters": ",".join(conditions), "hitsPerPage": str(ON_A_PAGE),
        "page": str(number), "advancedSyntax": "true",
    }  # fmt: skip
    if search.field:
        asked["restrictSearchableAttributes"] = search.field
    answer = visit.http.get(SEARCH, asked)
    return visit.parse(parse_stories, answer, visit.now())
