"""One visit to one source: under its lease, page by page, with its line in the ledger.

fetch → parse (the source) → decide → resolve → tag → store. A page is one transaction: entries, items, tags, counters, cursor
and the run's counts commit together, and only while the lease is held. No transaction spans a request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Concatenate, Protocol

import structlog

from catalog.clock import Clock
from catalog.errors import CatalogError, IngestError, LeaseLost
from catalog.outcomes import Counts, Outcome, Part, Run, combine
from catalog.settings import Settings
from catalog.storage import Storage, entries, items, leases, signals, sources
from catalog.storage.leases import Lease
from catalog.storage.sources import Batch, PartState
from catalog.storage.store import lock_writes
from catalog.tagging import Tagger
from catalog.taxonomy import Taxonomy
from ingest.fetch import NOT_ASKED_AGAIN, Answer, Fetcher
from ingest.keep import Keeper
from ingest.parsing import SHARED, Parser
from ingest.source import History, P, Page, Source, T, Visit, Window

LEASE_SECONDS = 60.0
HEARTBEAT_SECONDS = 10.0
WAIT_SECONDS = 1.0

log = structlog.get_logger("skillfeed.ingest")


class Progress(Protocol):
    """Told of what happens, for bars and logs."""

    def __call__(self, run: Run, part: Part | None) -> None:
        """The run as it stands, and the part that changed; None at its begin and end."""


def silent(run: Run, part: Part | None) -> None:
    """A progress that shows nothing."""


@dataclass(slots=True)
class Tools:
    """What every visit needs, made once per process."""

    settings: Settings
    storage: Storage
    taxonomy: Taxonomy
    tagger: Tagger
    clock: Clock
    pause: Callable[[float], None] = time.sleep
    progress: Progress = field(default=silent)
    parser: Parser = SHARED


def visit_source(tools: Tools, source: Source, window: Window | None = None) -> Run:
    """Visit a source to its end and return the run as entered in the ledger; waits while another process visits it.

    Raises LeaseLost when another process took the source over in the meantime.
    """
    with hold(tools, f"source:{source.name}") as lease:
        return _run(tools, source, lease, source.name, source.visit, window)


def visit_if_due(tools: Tools, source: Source) -> Run | None:
    """Visit a source unless it is being visited or not due any more; None then."""
    with hold_if_free(tools, f"source:{source.name}") as lease:
        if lease is None:
            return None
        with tools.storage.read() as db:
            if source.name not in sources.due(db, tools.clock.now()):
                return None
        return _run(tools, source, lease, source.name, source.visit, None)


def backfill(tools: Tools, source: Source, act: Callable[[Visit], None], window: Window) -> Run:
    """A visit to the past under a lease of its own, beside the ordinary visits; its ledger name is `backfill:<source>`."""
    name = f"backfill:{source.name}"
    with hold(tools, name) as lease:
        return _run(tools, source, lease, name, act, window)


def _run(tools: Tools, source: Source, lease: Lease, name: str, act: Callable[[Visit], None], window: Window | None) -> Run:
    storage, clock = tools.storage, tools.clock
    run = Run(name, clock.now())
    started = time.monotonic()
    with storage.write() as db:
        sources.register(db, {source.name: source.enabled}, clock.now())
        run.id = sources.begin_run(db, run)
    tools.progress(run, None)
    with Fetcher(tools.settings, storage, pause=tools.pause) as http:
        visit = StoredVisit(tools, source.name, lease, run, http, window, started)
        try:
            act(visit)
            run.outcome = combine(run.parts)
            run.error = summary(run.parts)
        except LeaseLost:
            raise
        except IngestError as error:
            run.outcome, run.error = Outcome.FAILED, str(error)[:1000]
        except Exception as error:  # a bug in a source must not take the worker down; it is logged whole and shown as failed
            log.exception("visit_crashed", source=name)
            run.outcome, run.error = Outcome.FAILED, f"internal error: {type(error).__name__}: {str(error)[:200]}"
        run.requests = http.requests
    run.finished, run.seconds = clock.now(), time.monotonic() - started
    with storage.write() as db:
        leases.require(db, lease)
        sources.put_run(db, run)
        if window is not None and name == source.name and run.outcome.good:
            sources.note_visit(db, run)
        if window is None:
            before = sources.state(db, source.name)
            assert before is not None
            failures = 0 if run.outcome.good else before.failures + 1
            last_new = run.finished if run.counts.new or run.counts.revised else before.last_new
            sources.settle(db, run, source.next_due(run.finished, run, History(failures, last_new)))
    tools.progress(run, None)
    log.info(
        "visited", source=name, outcome=run.outcome.value, requests=run.requests, seconds=round(run.seconds, 1),
        seen=run.counts.seen, new=run.counts.new, revised=run.counts.revised,
    )  # fmt: skip
    return run


def summary(parts: Iterable[Part]) -> str:
    """What is wrong with a run in one line.

    Each error once with the parts it stands for, consequences of an earlier one left out.
    """
    named: dict[str, list[str]] = {}
    for part in parts:
        if part.error:
            named.setdefault(part.error, []).append(part.name)
    causes = {error: names for error, names in named.items() if NOT_ASKED_AGAIN not in error} or named
    lines = []
    for error, names in list(causes.items())[:4]:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        lines.append(f"{', '.join(names[:3])}{more}: {error}")
    if len(causes) > 4:
        lines.append(f"and {len(causes) - 4} further errors")
    return "; ".join(lines)[:1000]


@contextmanager
def hold(tools: Tools, name: str) -> Iterator[Lease]:
    """Hold a lease, waiting for it while another process does."""
    while True:
        with hold_if_free(tools, name) as lease:
            if lease is not None:
                yield lease
                return
        log.info("waiting", lease=name)
        tools.pause(WAIT_SECONDS)


@contextmanager
def hold_if_free(tools: Tools, name: str) -> Iterator[Lease | None]:
    """Hold a lease with a heartbeat in the background; yields None when another process holds it."""
    storage = tools.storage
    with storage.write() as db:
        got = leases.claim(db, name, leases.new_owner(), LEASE_SECONDS)
    if not isinstance(got, Lease):
        yield None
        return
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            try:
                with storage.write() as db:
                    if not leases.renew(db, got, LEASE_SECONDS):
                        return
            except CatalogError as error:  # tried again at the next beat; the writes are fenced in any case
                log.warning("heartbeat_failed", lease=name, error=str(error)[:200])

    heartbeat = threading.Thread(target=beat, name=f"heartbeat {name}", daemon=True)
    heartbeat.start()
    try:
        yield got
    finally:
        ended.set()
        heartbeat.join()
        with storage.write() as db:
            leases.release(db, got)


class StoredVisit:
    """The `Visit` that stores what it is given."""

    def __init__(
        self, tools: Tools, source: str, lease: Lease, run: Run, http: Fetcher, window: Window | None, started: float
    ) -> None:
        self.settings, self.http, self.window = tools.settings, http, window
        self._tools, self._source, self._lease, self._run, self._started = tools, source, lease, run, started
        self._keeper = Keeper(tools.storage, tools.taxonomy, tools.tagger)

    def now(self) -> datetime:
        """The instance's clock."""
        return self._tools.clock.now()

    def begin(self, name: str) -> Part:
        """Start a part of the run."""
        part = Part(name)
        self._run.parts.append(part)
        self._tools.progress(self._run, part)
        return part

    def state(self, name: str) -> PartState:
        """Where the part goes on."""
        with self._tools.storage.read() as db:
            return sources.part(db, self._source, name)

    def batches(self, since: date) -> list[Batch]:
        """What the source announced since the day."""
        with self._tools.storage.read() as db:
            return sources.batches(db, self._source, since)

    def held(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that are held."""
        with self._tools.storage.read() as db:
            return entries.held(db, self._source, keys)

    def standing(self, prefix: str) -> set[str]:
        """The keys with this prefix that are held and not withdrawn."""
        with self._tools.storage.read() as db:
            return entries.standing(db, self._source, prefix)

    def papers(self, scheme: str, since: date, before: int | None, limit: int) -> list[tuple[int, str]]:
        """Positions and identifiers of a scheme of papers announced since the day, newest first, after a position."""
        with self._tools.storage.read() as db:
            return items.identified(db, scheme, since, before, limit)

    def parse(self, read: Callable[Concatenate[bytes, P], T], answer: Answer, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function makes of the answer's body; raises ParseError."""
        return self._tools.parser.parse(read, answer.content, *args, **kwargs)

    def keep(self, part: Part, page: Page) -> Counts:
        """Store the page; raises LeaseLost when another process visits the source now."""
        now, run = self.now(), self._run

        def write(db: Any) -> Counts:
            lock_writes(db)
            leases.require(db, self._lease)
            counts = self._keeper.write(db, self._source, page, now)
            if page.state is not None:
                sources.put_part(db, self._source, part.name, page.state)
            sources.put_batches(db, self._source, page.batches)
            signals.put(db, page.signals)
            total = replace(run, counts=Counts(), requests=self.http.requests, seconds=time.monotonic() - self._started)
            total.counts.add(run.counts)
            total.counts.add(counts)
            sources.put_run(db, total)
            return counts

        self._keeper.prepare(self._source, page)
        counts = self._tools.storage.writing(write)
        part.counts.add(counts)
        run.counts.add(counts)
        self._tools.progress(run, part)
        return counts

    def fail(self, part: Part, outcome: Outcome, error: str) -> None:
        """Note what is wrong with the part; a first note stays in front."""
        part.outcome = outcome
        part.error = f"{part.error}; {error}" if part.error and part.error != error else error
        log.debug("part", source=self._source, part=part.name, outcome=outcome.value, error=error)
