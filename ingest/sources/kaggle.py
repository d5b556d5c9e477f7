"""Kaggle: its open competitions, with prize, metric, dates and teams.

Offers: the call ListCompetitions of https://api.kaggle.com/v1/, 20 competitions on a page, for accounts:
`KAGGLE_API_TOKEN`, or the older `KAGGLE_USERNAME` and `KAGGLE_KEY`. Without one the visit ends as not configured. Terms:
https://www.kaggle.com/terms; facts are kept with a link. Rate: not published; one request a second. Cadence: twice a day.

Open competitions are read by deadline, the latest first, to the first that is over, and one page of those that were made last.
Cookies are never kept: one of Kaggle's makes it ignore the token.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Part, Run
from catalog.settings import Settings
from ingest.attempts import lost, reasons
from ingest.cadence import Cadence
from ingest.formats.contests import KAGGLE, Competitions, parse_competitions
from ingest.source import History, Page, Visit

LIST = "https://api.kaggle.com/v1/competitions.CompetitionApiService/ListCompetitions"
OPEN, RECENT = "open", "recent"
PAGES = 100  # at most
MISSING = "Kaggle answers accounts only: set KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY"
_REFUSED = frozenset({401, 403})


class Kaggle:
    """The source `kaggle`."""

    name = KAGGLE
    homepage = "https://www.kaggle.com/competitions"
    summary = "Open competitions of Kaggle; wants an account's token"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """Those that are open, and those that are new."""
        return 2

    def visit(self, visit: Visit) -> None:
        """Read the open competitions, and the page of the newest."""
        headers = _headers(visit.settings)
        for name, order in ((OPEN, "LATEST_DEADLINE"), (RECENT, "RECENTLY_CREATED")):
            part = visit.begin(name)
            if not headers:
                visit.fail(part, Outcome.NOT_CONFIGURED, MISSING)
                return
            try:
                _read(visit, part, _pages(visit, headers, order, PAGES if name == OPEN else 1))
            except (FetchError, ParseError) as error:
                visit.fail(part, Outcome.PARTIAL if part.counts.seen else Outcome.FAILED, str(error))

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """Twelve hours later: deadlines are extended on their last day."""
        return Cadence(timedelta(hours=12), timedelta(hours=12)).next_due(self.name, now, run, history)


def _headers(settings: Settings) -> dict[str, str]:
    """Who asks; empty when no account is set."""
    if token := settings.kaggle_api_token.get_secret_value():
        return {"Authorization": f"Bearer {token}"}
    user, key = settings.kaggle_username, settings.kaggle_key.get_secret_value()
    if not user or not key:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{key}'.encode()).decode()}"}


def _pages(visit: Visit, headers: dict[str, str], order: str, most: int) -> Iterator[Competitions]:
    """The pages of the list in this order, the last of those that are open at the end."""
    wanted = {"group": "COMPETITION_LIST_TAB_GENERAL", "sortBy": f"COMPETITION_SORT_BY_{order}"}
    token = ""
    for number in range(most):
        request = wanted | ({"pageToken": token} if token else {})
        answer = visit.http.post(LIST, request, headers=headers, also=_REFUSED)
        if answer.status in _REFUSED:
            raise FetchError(answer.url, "login", f"Kaggle refuses the account (status {answer.status})", status=answer.status)
        page = visit.parse(parse_competitions, answer, visit.now())
        if not page.entries and not page.rejected:
            what = "a page that was announced is empty" if number else "the list is empty, which it never is"
            raise ParseError("empty-page", what)
        yield page
        over = order == "LATEST_DEADLINE" and page.last_deadline is not None and page.last_deadline < visit.now()
        if over or not page.token or page.token == token:
            return
        token = page.token


def _read(visit: Visit, part: Part, pages: Iterator[Competitions]) -> None:
    keys: set[str] = set()
    number = 0
    for page in pages:
        keys |= {e.key for e in page.entries}
        number += lost(page.rejected)
        visit.keep(part, Page(page.entries, (), page.rejected, signals=page.signals))
        if lost(page.rejected):
            visit.fail(part, Outcome.PARTIAL, f"competitions were lost: {reasons(page.rejected)}")
    part.announced, part.held = len(keys) + number, len(visit.held(keys))
    if part.outcome is Outcome.EMPTY:
        part.outcome = Outcome.OK
