"""ccf-deadlines: the deadlines of some 350 series of conferences in computer science, kept by their community.

Offers: one YAML list of all series, https://ccfddl.github.io/conference/allconf.yml, with ETag; it is 1 MB. Licence: MIT
(https://github.com/ccfddl/ccf-deadlines). Rate: one request a visit, 304 while nothing changes. Cadence: daily.

Taken are the series of artificial intelligence, databases and mining, graphics and vision, and those that papers are followed
of: the editions of this and last year, and of later ones. Beside `ai-deadlines` it makes one item of an edition.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings
from catalog.storage.sources import PartState
from ingest.cadence import Cadence
from ingest.formats.editions import CCF, CCF_PAGE, parse_series
from ingest.papers.files import read_file
from ingest.papers.volumes import store, unchanged
from ingest.source import History, Visit

ALL = "https://ccfddl.github.io/conference/allconf.yml"
PART = "editions"
AHEAD = 5  # years


class CcfDeadlines:
    """The source `ccf-deadlines`."""

    name = CCF
    homepage = CCF_PAGE
    summary = "ccf-deadlines: dates of conferences in artificial intelligence, data, graphics and vision"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """One list."""
        return 1

    def visit(self, visit: Visit) -> None:
        """Read the list where it changed: editions from last year on, or from the year in which a window begins."""
        part, state = visit.begin(PART), visit.state(PART)
        this_year = visit.now().year
        begun = state.cursor.get("first", this_year - 1)
        first = min(begun, visit.window.since.year if visit.window else begun)
        # Years that were taken once stay, so that the list is compared with as much as is held of it.
        known = state if first == begun else PartState({})
        try:
            volume = read_file(visit, ALL, known, "", parse_series, first, this_year + AHEAD)
        except (FetchError, ParseError) as error:
            visit.fail(part, Outcome.FAILED, str(error))
            return
        if volume is None:
            unchanged(visit, part, state)
        else:
            store(visit, part, state, replace(volume, facts={"first": first}, noun="editions"), lambda _: False)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day later: a deadline may move on any day."""
        return Cadence(timedelta(days=1), timedelta(days=1)).next_due(self.name, now, run, history)
