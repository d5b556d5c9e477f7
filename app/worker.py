"""The worker: APScheduler is the clock, the database says what is due. Part of the composition root: may import `ingest`."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from types import FrameType
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from app import alerts, deliver, mail
from app.context import Context
from app.progress import Lines
from catalog.errors import SkillfeedError
from catalog.outcomes import Outcome, Run
from catalog.storage import leases, outbox, requests, retags, sources, subscriptions, upkeep
from catalog.storage.leases import Lease
from catalog.storage.requests import Request
from catalog.storage.upkeep import Chore
from catalog.tagging import Tagger
from ingest.retag import retag
from ingest.run import HEARTBEAT_SECONDS, LEASE_SECONDS, Tools, hold_if_free, visit_if_due, visit_source
from ingest.source import Source
from ingest.sources import SOURCES

TICK_SECONDS = 10
STOP_SECONDS = 5.0  # for visits in hand; what is not ended then goes on at the next start
#: At once. Each takes a thread and 0.8 MB besides what it reads: 200 at once took 124 MB and as many connections as there are.
VISITS = 16
RELAY_FAILURES = 3  # in a row, before the operator is told
THIN_ROWS = 500  # in one transaction: about 10 ms of the writer
THIN_EVERY = timedelta(days=1)
#: Not sooner again, but at a start: two versions at work on one database would else undo each other's tags without end.
RETAG_EVERY = timedelta(days=1)

log = structlog.get_logger("skillfeed.worker")


class Stopping(BaseException):
    """Raised in a visit's pauses when the worker is asked to end."""


class Worker:
    """Visits what is due or was asked for and does the chores, each in a thread of its own."""

    def __init__(self, context: Context, known: Sequence[Source] = SOURCES) -> None:
        alerts.targets(context.settings.alert_to.get_secret_value())  # raises SettingsError now, not in three days
        self._context = context
        self._known = {source.name: source for source in known}
        self._chores: dict[str, Callable[[Lease, Chore], None]] = {
            "thin": self._thin, "alerts": self._alert, "readers": self._forget_readers, "deliver": self._deliver,
            "retag": self._retag,
        }  # fmt: skip
        self._stopping = threading.Event()
        self._tagger = Tagger.load(context.taxonomy)
        self._running: dict[str, threading.Thread] = {}
        self._owner = leases.new_owner()
        self.runs: dict[str, Run] = {}  # the last ended visit of each source
        with context.storage.write() as db:
            sources.register(db, {s.name: s.enabled for s in known}, context.clock.now())
            upkeep.register(db, list(self._chores), context.clock.now())
            if retags.version(db) != self._tagger.version:
                upkeep.hasten(db, "retag", context.clock.now())

    def tick(self) -> None:
        """Ask what is due or was asked for and start it, unless it runs already."""
        self._running = {name: thread for name, thread in self._running.items() if thread.is_alive()}
        try:
            self._ask()
        except SkillfeedError as error:  # the database is away: the next tick asks again
            log.warning("tick_failed", error=str(error))

    def wait(self, seconds: float = math.inf) -> None:
        """Wait for what is in hand, at most so many seconds in all; requests that are being answered stay ours."""
        end = time.monotonic() + seconds
        for thread in list(self._running.values()):
            while thread.is_alive() and (left := end - time.monotonic()) > 0:
                thread.join(min(left, HEARTBEAT_SECONDS))
                if thread.is_alive() and not self._stopping.is_set():
                    self._renew()

    def stop(self) -> None:
        """End the visits in hand at their next pause; the pages they stored stay, the rest is fetched again."""
        self._stopping.set()
        self.wait(STOP_SECONDS)

    def _ask(self) -> None:
        storage, now = self._context.storage, self._context.clock.now()
        with storage.read() as db:
            due = sources.due(db, now)
            asked = requests.is_any_open(db)
            chores = [c for c in upkeep.chores(db).values() if c.next_due <= now and c.name in self._chores]
            if not self._context.settings.alert_to.get_secret_value() or not any(sources.untold(db, now, alerts.AFTER)):
                chores = [c for c in chores if c.name != "alerts"]  # nobody to tell, or nothing to tell
            if not subscriptions.due(db, now, 1) and not outbox.is_any_due(db, now):
                chores = [c for c in chores if c.name != "deliver"]  # nothing to send
            if retags.version(db) == self._tagger.version:
                chores = [c for c in chores if c.name != "retag"]  # model and taxonomy are those that all was tagged with
        if self._stopping.is_set():
            return
        if asked:
            self._renew()
            self._take_requests()
        for chore in chores:
            self._start(f"chore {chore.name}", partial(self._do, chore))
        answering = {name.split(" ", 2)[2] for name in self._running if name.startswith("request ")}
        for name in due:
            if sum(thread.startswith("visit ") for thread in self._running) >= VISITS:
                break  # the others are due at the next tick as well, the longest waiting first
            if name in self._known and name not in answering:
                self._start(f"visit {name}", partial(self._visit, self._known[name]))

    def _start(self, name: str, act: Callable[[], None]) -> None:
        if name not in self._running:
            self._running[name] = threading.Thread(target=self._guarded, args=(name, act), name=name, daemon=True)
            self._running[name].start()

    def _guarded(self, name: str, act: Callable[[], None]) -> None:
        try:
            act()
        except Stopping:
            log.info("stopped", work=name)
        except SkillfeedError as error:  # database away or lease lost: the next tick tries again
            log.warning("work_failed", work=name, error=str(error))

    # ------------------------------------------------------------ visits
    def _visit(self, source: Source) -> None:
        run = visit_if_due(self._tools(), source)
        if run is not None:
            self.runs[source.name] = run

    def _take_requests(self) -> None:
        while not self._stopping.is_set():
            with self._context.storage.write() as db:
                request = requests.take(db, self._owner, LEASE_SECONDS)
            if request is None:
                return
            self._start(f"request {request.id} {request.source}", partial(self._answer, request))

    def _answer(self, request: Request) -> None:
        """Visit the source, after a visit that is under way; due or not."""
        storage, source = self._context.storage, self._known.get(request.source)
        run: Run | None = None
        try:
            if source is not None:
                run = self.runs[source.name] = visit_source(self._tools(), source)
        except BaseException:
            with storage.write() as db:
                requests.give_back(db, request)
            raise
        outcome = run.outcome if run and run.outcome else Outcome.FAILED
        error = run.error if run else "this version of Skillfeed has no such source"
        with storage.write() as db:
            requests.finish(db, request, self._context.clock.now(), run.id if run else None, outcome.value, error)
        log.info("request_answered", request=request.id, source=request.source, outcome=outcome.value)

    def _renew(self) -> None:
        try:
            with self._context.storage.write() as db:
                requests.renew(db, self._owner, LEASE_SECONDS)
        except SkillfeedError as error:
            log.warning("renewal_failed", error=str(error))

    def _tools(self) -> Tools:
        c = self._context
        return Tools(c.settings, c.storage, c.taxonomy, self._tagger, c.clock, pause=self._pause, progress=Lines())

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopping

    # ------------------------------------------------------------ chores
    def _do(self, chore: Chore) -> None:
        with hold_if_free(self._tools(), f"chore:{chore.name}") as lease:
            if lease is None:
                return
            with self._context.storage.read() as db:
                now = upkeep.chores(db)[chore.name]
            if now.next_due <= self._context.clock.now():  # another worker may just have done it
                self._chores[chore.name](lease, now)

    def _thin(self, lease: Lease, chore: Chore) -> None:
        storage, now, gone = self._context.storage, self._context.clock.now(), 0
        while not self._stopping.is_set():
            with storage.write() as db:
                leases.require(db, lease)
                removed = upkeep.thin(db, now, THIN_ROWS)
                if removed < THIN_ROWS:
                    upkeep.settle(db, chore.name, now, now + THIN_EVERY)
            gone += removed
            if removed < THIN_ROWS:
                log.info("thinned", rows=gone)
                return

    def _alert(self, lease: Lease, chore: Chore) -> None:
        """At least once: a worker that dies between telling and noting it tells again, with the same Message-ID."""
        c, now = self._context, self._context.clock.now()
        with c.storage.read() as db:
            dead, well = sources.untold(db, now, alerts.AFTER)
        if not dead and not well:
            return
        taken, troubles = alerts.tell(c.settings, alerts.Notice(tuple(dead), tuple(well), now, c.settings.base_url))
        error = "; ".join(troubles)
        with c.storage.write() as db:
            leases.require(db, lease)
            if taken:
                sources.note_told(db, dead, well, now)
            again = now if taken else now + alerts.wait_after(chore.failures + 1)
            upkeep.settle(db, chore.name, now, again, "" if taken else error)
        if troubles:
            log.warning("alert_failed", error=error)
        if taken:
            log.info("alerted", sources=alerts.in_words(dead, well))

    def _forget_readers(self, lease: Lease, chore: Chore) -> None:
        """Those who never confirmed go after seven days, with all that was sent to them."""
        c, now, gone = self._context, self._context.clock.now(), 0
        while not self._stopping.is_set():

            def act(db: Any) -> list[str]:
                leases.require(db, lease)
                return subscriptions.forget_unconfirmed(db, now, THIN_ROWS)

            told = c.storage.writing(act, private=True)
            mail.unkeep(c.settings, told)
            gone += len(told)
            if not told:
                break
        c.storage.scrub()  # daily, for what a reader held up when somebody left
        with c.storage.write() as db:
            leases.require(db, lease)
            upkeep.settle(db, chore.name, now, now + THIN_EVERY)
        log.info("unconfirmed_forgotten", mails=gone)

    def _retag(self, lease: Lease, chore: Chore) -> None:
        """After a change of model or taxonomy; what it changed is told in the log, label by label."""
        c, now = self._context, self._context.clock.now()
        report = retag(c.storage, c.taxonomy, self._tagger, now, lease=lease, stopping=self._stopping.is_set)
        if self._stopping.is_set():
            return
        with c.storage.write() as db:
            leases.require(db, lease)
            upkeep.settle(db, chore.name, now, now + RETAG_EVERY)
        for (scheme, value), change in report.changes():
            log.info("label_changed", label=f"{scheme} {value}", gained=change.gained, lost=change.lost, moved=change.moved)
        log.info("retagged", tagger=report.tagger, items=report.items, changed=report.changed)

    def _deliver(self, lease: Lease, chore: Chore) -> None:
        """Plan and send; trouble with the relay makes everybody wait, a minute first and six hours at most."""
        c, now = self._context, self._context.clock.now()
        report = deliver.deliver(c, lease, stopping=self._stopping.is_set, pause=self._stopping.wait)
        with c.storage.write() as db:
            leases.require(db, lease)
            again = now + alerts.wait_after(chore.failures + 1) if report.trouble else now
            if report.trouble or chore.failures:
                upkeep.settle(db, chore.name, now, again, report.trouble)
        if report.trouble:
            log.warning("relay_trouble", error=report.trouble)
            if chore.failures + 1 == RELAY_FAILURES:  # once for each outage, and not for a relay that starts anew
                alerts.warn(c.settings, f"Skillfeed: mail waits, {report.trouble}", now)
        if report.sent or report.failed or report.suppressed or report.deferred:
            log.info(
                "delivered", sent=report.sent, deferred=report.deferred, failed=report.failed, suppressed=report.suppressed
            )


def run(context: Context, parent: int = 0) -> None:
    """Tick until SIGTERM or Ctrl-C, or until the process `parent` (0: none) is gone; ends within ten seconds."""
    worker, ended = Worker(context), threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    scheduler = BackgroundScheduler(timezone="UTC")
    # coalesce and no grace limit: after a stall one tick is enough, and it is never skipped as misfired.
    scheduler.add_job(worker.tick, "interval", seconds=TICK_SECONDS, max_instances=1, coalesce=True, misfire_grace_time=None)
    worker.tick()
    scheduler.start()
    log.info("worker_started", pid=os.getpid(), tick_seconds=TICK_SECONDS)
    while not ended.wait(1.0):
        if parent and os.getppid() != parent:  # the server that started this worker was killed
            break
    scheduler.shutdown(wait=False)
    worker.stop()
    log.info("worker_stopped")


def run_once(context: Context) -> list[Run]:
    """Do what is due now, wait for it, and return the visits."""
    worker = Worker(context)
    worker.tick()
    worker.wait()
    return list(worker.runs.values())
