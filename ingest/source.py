"""What a source is, and what a visit offers it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from catalog.entries import EntryData
from catalog.outcomes import Counts, Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import Batch, PartState
from ingest.fetch import Fetcher


@dataclass(frozen=True, slots=True)
class Window:
    """Announced dates that a visit is asked for, both inclusive; `until` None is today."""

    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer held: its entries, items, tags, counters and the part's state are stored together or not at all."""

    entries: Sequence[EntryData] = ()
    removed: Sequence[str] = ()  # keys that the source says are deleted
    rejected: Counter[str] = field(default_factory=Counter)
    state: PartState | None = None  # None: where the part goes on stays as it is
    batches: Sequence[Batch] = ()
    passed: int = 0  # entries that were read and are not for us; counted as seen and unchanged


class Visit(Protocol):
    """One visit, as the source sees it."""

    settings: Settings
    http: Fetcher
    window: Window | None

    def now(self) -> datetime:
        """The instance's clock."""

    def begin(self, name: str) -> Part:
        """Start a part; it is shown in progress and ledger."""

    def state(self, name: str) -> PartState:
        """Where the part goes on."""

    def batches(self, since: date) -> list[Batch]:
        """What the source announced since the day."""

    def keep(self, part: Part, page: Page) -> Counts:
        """Store a page under a part and return what became of it; raises LeaseLost."""

    def held(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that are held."""

    def fail(self, part: Part, outcome: Outcome, error: str) -> None:
        """Note what is wrong with a part."""


class Source(Protocol):
    """One upstream; one file in `ingest/sources/`."""

    name: str
    homepage: str
    summary: str  # one line for the docs and the status page

    def steps(self, settings: Settings) -> int:
        """About how many parts an ordinary visit has, for the progress bar."""

    def visit(self, visit: Visit) -> None:
        """Fetch, parse and keep what is new; parts carry the outcome. Raises only what the run cannot go on after."""

    def next_due(self, now: datetime, run: Run, failures: int) -> datetime:
        """When to come again after this run; `failures` counts visits in a row that did not end ok or empty."""
