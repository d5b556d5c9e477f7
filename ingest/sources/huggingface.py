"""Hugging Face daily papers: what people put forward each day, with upvotes, comments and code.

Offers: https://huggingface.co/api/daily_papers by day or ISO week, up to 100 on a page, with ETag. Terms:
https://huggingface.co/terms-of-service; titles and abstracts are arXiv's. Rate: 500 requests in 5 minutes without
`SKILLFEED_HF_TOKEN`, 1,000 with it; some five a visit are needed. Cadence: every three hours.

A paper joins that of arXiv by its id, and what is said of it here are its signals. A day is read again until it is over and
once more a week later, as votes go on. The newest list, which has the last days together, is what the days are counted against.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from catalog.entries import EntryData
from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import PartState
from ingest.attempts import lost, reasons
from ingest.cadence import Cadence
from ingest.formats.daily_papers import HUGGINGFACE, DailyPapers, parse_daily
from ingest.source import History, Page, Visit, Window

LIST = "https://huggingface.co/api/daily_papers"
NEWEST = "newest"
ON_A_PAGE = 100
PAGES = 20  # of one day or week
FIRST_DAYS = 7  # that a first visit reads
AGAIN = timedelta(days=7)  # after which a day's votes are read once more
LONG = 14  # days of a window from which on weeks are read


class HuggingFace:
    """The source `huggingface`."""

    name = HUGGINGFACE
    homepage = "https://huggingface.co/papers"
    summary = "Papers that people put forward each day: upvotes, comments, code"
    enabled = True

    def __init__(self, first_days: int = FIRST_DAYS) -> None:
        """`first_days` is how far back a first visit goes."""
        self._first_days = first_days

    def steps(self, settings: Settings) -> int:
        """The newest, today, yesterday, and a day of last week."""
        return 4

    def visit(self, visit: Visit) -> None:
        """Read the newest list and the days that are not settled, or those of a window."""
        reading = _Reading(visit)
        if visit.window is not None:
            for name, parameters in spans(visit.window, visit.now().date()):
                reading.read(name, parameters)
            return
        today = visit.now().date()
        before = visit.state(NEWEST).cursor
        through = before.get("through", "")
        first = date.fromisoformat(through) + timedelta(days=1) if through else today - timedelta(days=self._first_days - 1)
        reading.newest(first, before.get("papers", False))
        days = {today - timedelta(days=n) for n in range(max(2, (today - first).days + 1))}
        if through and before.get("again") != today.isoformat():
            days.add(today - AGAIN)
        unsound = [day for day in sorted(days) if not reading.read(day.isoformat(), {"date": day.isoformat()})]
        settled = min([today - timedelta(days=2), *(day - timedelta(days=1) for day in unsound if day >= first)])
        reading.settle(max(settled, first - timedelta(days=1)), today)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """Three hours later: votes move while the day runs."""
        return Cadence(timedelta(hours=3), timedelta(hours=3)).next_due(self.name, now, run, history)


def spans(window: Window, today: date) -> Iterator[tuple[str, dict[str, str]]]:
    """What is asked for a window: its days, or where they are many its ISO weeks (a year may have 53), whole ones."""
    last = min(window.until or today, today)
    days = [window.since + timedelta(days=n) for n in range((last - window.since).days + 1)]
    if len(days) <= LONG:
        yield from ((d.isoformat(), {"date": d.isoformat()}) for d in days)
        return
    for year, week in dict.fromkeys(d.isocalendar()[:2] for d in days):
        yield f"{year}-W{week:02}", {"week": f"{year}-W{week:02}"}


@dataclass(slots=True)
class _Reading:
    """One visit."""

    visit: Visit
    newest_part: Part | None = None
    etag: str = ""  # of the newest list, once it is believed
    told: dict[date, dict[str, EntryData]] = field(default_factory=dict)  # what the newest list has, by day

    def newest(self, first: date, before: bool) -> None:
        """Read the newest list for days from the first on; `before`: papers were there at an earlier visit."""
        part, state = self.visit.begin(NEWEST), self.visit.state(NEWEST)
        self.newest_part, self.etag = part, state.etag
        try:
            page = self._page({}, 0, state.etag)
        except (FetchError, ParseError) as error:
            self.visit.fail(part, Outcome.FAILED, str(error))
            return
        if page is None:
            part.outcome = Outcome.OK
            return
        for entry in page[0].entries:
            if entry.announced and entry.announced >= first:
                self.told.setdefault(entry.announced, {})[entry.key] = entry
        part.outcome = Outcome.OK if page[0].entries else Outcome.EMPTY
        if lost(page[0].rejected):
            self.visit.fail(part, Outcome.PARTIAL, f"papers were lost: {reasons(page[0].rejected)}")
        elif not page[0].entries and before:
            self.visit.fail(part, Outcome.STALE, "the newest list is empty, which it was not before")
        else:
            self.etag = page[1]

    def read(self, name: str, parameters: dict[str, str]) -> bool:
        """Store a day or a week page by page; True when nothing is wrong with it."""
        part, state = self.visit.begin(name), self.visit.state(name)
        keys: set[str] = set()
        missed, etag = 0, ""
        try:
            for number in range(PAGES):
                found = self._page(parameters, number, state.etag if not number else "")
                if found is None:
                    part.announced = part.held = state.cursor["papers"]
                    part.outcome = Outcome.OK if part.announced else Outcome.EMPTY
                    return True
                page, validator = found
                etag = validator if not number else ""
                keys |= {e.key for e in page.entries}
                missed += lost(page.rejected)
                self.visit.keep(part, Page(page.entries, (), page.rejected, signals=page.signals))
                if page.rows < ON_A_PAGE:
                    break
        except (FetchError, ParseError) as error:
            self.visit.fail(part, Outcome.PARTIAL if keys else Outcome.FAILED, str(error))
        if missed:
            self.visit.fail(part, Outcome.PARTIAL, f"{missed} papers were lost")
        others = self.told.get(date.fromisoformat(name), {}) if "date" in parameters else {}
        absent = [e for key, e in sorted(others.items()) if key not in keys]
        if absent:
            self.visit.keep(part, Page(absent))
        less = max(len(absent), state.cursor.get("papers", 0) - len(keys) - missed)
        if less and part.outcome is Outcome.EMPTY:
            self.visit.fail(part, Outcome.STALE, f"the list lacks {less} papers that were told before")
        part.announced = len(keys) + missed + len(absent)
        part.held = len(self.visit.held([*keys, *(e.key for e in absent)]))
        if part.outcome is not Outcome.EMPTY:
            return False
        part.outcome = Outcome.OK if keys else Outcome.EMPTY
        now = PartState({"papers": len(keys)}, etag)
        if (keys or etag) and now != state:
            self.visit.keep(part, Page(state=now))
        return True

    def settle(self, day: date, today: date) -> None:
        """Remember the last day that need not be read any more."""
        assert self.newest_part is not None
        before = self.visit.state(NEWEST)
        papers = bool(before.cursor.get("papers") or self.told)
        now = PartState({"through": day.isoformat(), "again": today.isoformat(), "papers": papers}, self.etag)
        if before != now:
            self.visit.keep(self.newest_part, Page(state=now))

    def _page(self, parameters: dict[str, str], number: int, etag: str) -> tuple[DailyPapers, str] | None:
        """A page and its validator; None when it is as it was."""
        token = self.visit.settings.hf_token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        asked = {**parameters, "limit": str(ON_A_PAGE), "p": str(number)}
        answer = self.visit.http.get(LIST, asked, etag=etag, headers=headers)
        if answer.not_modified:
            return None
        return self.visit.parse(parse_daily, answer, self.visit.now()), answer.etag
