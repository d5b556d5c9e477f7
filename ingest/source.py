"""What a source is, and what a visit offers it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from catalog.entries import EntryData
from catalog.items import Signal
from catalog.outcomes import Counts, Outcome, Part, Run
from catalog.settings import Settings
from catalog.storage.sources import Batch, PartState
from ingest.fetch import Answer, Fetcher

P = ParamSpec("P")
T = TypeVar("T")


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
    signals: Sequence[Signal] = ()
    passed: int = 0  # entries that were read and are not for us; counted as seen and unchanged
    counted: bool = True  # False: these entries were counted before, and are only told in full now


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

    def parse(self, read: Callable[Concatenate[bytes, P], T], answer: Answer, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function makes of the answer's body; raises ParseError, also when reading takes too long or too much.

        It runs in another process: the function is one of a module, its arguments and what it returns can be pickled.
        """

    def keep(self, part: Part, page: Page) -> Counts:
        """Store a page under a part and return what became of it; raises LeaseLost."""

    def held(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that are held."""

    def standing(self, prefix: str) -> set[str]:
        """The keys with this prefix that are held and not withdrawn."""

    def papers(self, scheme: str, since: date, before: int | None, limit: int) -> list[tuple[int, str]]:
        """Positions and identifiers of a scheme of papers announced since the day, whatever their source, newest first.

        `before` is the position to go on after; None begins with the newest.
        """

    def fail(self, part: Part, outcome: Outcome, error: str) -> None:
        """Note what is wrong with a part."""


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a source's visits when its next one is set."""

    failures: int  # visits in a row that did not end well, the present one included
    last_new: datetime | None  # end of the last visit that brought something new or revised, the present one included


class Source(Protocol):
    """One upstream; one file in `ingest/sources/`."""

    name: str
    homepage: str
    summary: str  # one line for the docs and the status page
    enabled: bool  # visited without being switched on by the operator

    def steps(self, settings: Settings) -> int:
        """About how many parts an ordinary visit has, for the progress bar."""

    def visit(self, visit: Visit) -> None:
        """Fetch, parse and keep what is new; parts carry the outcome. Raises only what the run cannot go on after."""

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """When to come again after this run."""
