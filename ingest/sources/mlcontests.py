"""ML Contests: competitions in machine learning on all platforms, kept by mlcontests.com.

Offers: one JSON file, https://raw.githubusercontent.com/mlcontests/mlcontests.github.io/master/competitions.json, with ETag.
The repository is under GPL-3.0: facts are kept, with a link to each competition, no texts. Rate: one request a visit.
Cadence: daily.

A competition on Kaggle is one item with what Kaggle says of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings
from ingest.cadence import Cadence
from ingest.formats.contests import MLCONTESTS, parse_contests
from ingest.papers.files import read_file
from ingest.papers.volumes import store, unchanged
from ingest.source import History, Visit

LIST = "https://raw.githubusercontent.com/mlcontests/mlcontests.github.io/master/competitions.json"
PART = "competitions"


class MlContests:
    """The source `mlcontests`."""

    name = MLCONTESTS
    homepage = "https://mlcontests.com/"
    summary = "Competitions on Kaggle, Zindi, DrivenData, AIcrowd and other platforms"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """One list."""
        return 1

    def visit(self, visit: Visit) -> None:
        """Read the list where it changed."""
        part, state = visit.begin(PART), visit.state(PART)
        try:
            volume = read_file(visit, LIST, state, "", parse_contests, visit.now().date())
        except (FetchError, ParseError) as error:
            visit.fail(part, Outcome.FAILED, str(error))
            return
        if volume is None:
            unchanged(visit, part, state)
        else:
            store(visit, part, state, replace(volume, noun="competitions"), lambda _: False)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day later: a deadline may be extended on any day."""
        return Cadence(timedelta(days=1), timedelta(days=1)).next_due(self.name, now, run, history)
