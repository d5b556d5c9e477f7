"""ACL Anthology: papers of the conferences and journals of computational linguistics.

Offers: one XML file for each collection (`2024.naacl`), at
https://raw.githubusercontent.com/acl-org/acl-anthology/master/data/xml/ with ETags; up to 20 MB. Manual:
https://aclanthology.org/faq/api/. Its materials are under CC BY 4.0, those until 2015 under CC BY-NC-SA 3.0; metadata and
abstracts are shown with a link to the paper's page, no PDF is kept. Rate: none is stated; one request at a time,
`SKILLFEED_HOST_GAP_SECONDS` apart. Cadence: daily while something changes, weekly when nothing does; a collection that does not
exist is asked for once a week.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from catalog.errors import FetchError, ParseError
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings
from catalog.storage.sources import PartState
from ingest.cadence import Cadence
from ingest.formats.acl import parse_collection
from ingest.papers.editions import years
from ingest.papers.files import read_file
from ingest.papers.volumes import store, unchanged, unpublished
from ingest.source import History, Visit

XML = "https://raw.githubusercontent.com/acl-org/acl-anthology/master/data/xml/{}.xml"
FIRST_YEAR = 2000
#: The collections of a year that are followed. A joint meeting has one of its names: LREC-COLING 2024 is `2024.lrec`.
FOLLOWED = (
    "acl", "emnlp", "naacl", "eacl", "aacl", "ijcnlp", "coling", "lrec", "conll", "findings", "tacl", "cl",
)  # fmt: skip
#: Until 2019 a collection was a letter and two digits: P19 is ACL 2019.
LETTERS_UNTIL = 2019
ABSENT = timedelta(days=7)  # before a collection that does not exist is asked for again: most never will
LETTERS = "PDNEICLKQJ"  # ACL, EMNLP, NAACL, EACL, IJCNLP, COLING, LREC, CoNLL, TACL, CL


class Acl:
    """The source `acl`."""

    name = "acl"
    homepage = "https://aclanthology.org/"
    summary = "ACL Anthology: ACL, EMNLP, NAACL, EACL, COLING, LREC, CoNLL, their Findings, TACL and CL"
    enabled = True

    def steps(self, settings: Settings) -> int:
        """A part for each collection of two years."""
        return 2 * len(FOLLOWED)

    def visit(self, visit: Visit) -> None:
        """Read the collections of this and last year, or of those in the window, where they changed."""
        for year in reversed(years(visit.window, visit.now().date(), FIRST_YEAR)):
            for collection in collections(year):
                self._collection(visit, collection)

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """A day after the last change, later while there is none, at most a week."""
        return Cadence(timedelta(days=1), timedelta(days=7)).next_due(self.name, now, run, history)

    def _collection(self, visit: Visit, name: str) -> None:
        part, state, prefix = visit.begin(name), visit.state(name), f"{name}-"
        today = visit.now().date()
        asked = state.cursor.get("absent")
        turn = (today.toordinal() + sum(name.encode())) % ABSENT.days == 0  # so that each visit asks for some
        if asked and visit.window is None and not turn and timedelta(0) <= today - date.fromisoformat(asked) < ABSENT:
            part.announced = part.held = 0
            return
        try:
            volume = read_file(visit, XML.format(name), state, prefix, parse_collection, today)
        except (FetchError, ParseError) as error:
            if isinstance(error, FetchError) and error.status == 404:
                unpublished(visit, part, prefix, PartState({"absent": today.isoformat()}))
            else:
                visit.fail(part, Outcome.FAILED, str(error))
            return
        if volume is None:
            unchanged(visit, part, state)
        elif volume.papers.announced:
            store(visit, part, state, volume, lambda _: False)
        else:
            visit.fail(part, Outcome.STALE, f"{name} is there and names no paper")


def collections(year: int) -> list[str]:
    """The names of the collections of a year that are followed."""
    if year <= LETTERS_UNTIL:
        return [f"{letter}{year % 100:02}" for letter in LETTERS]
    return [f"{year}.{name}" for name in FOLLOWED]
