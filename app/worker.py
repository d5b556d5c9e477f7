"""The worker: APScheduler is the clock, the database says what is due. Part of the composition root: may import `ingest`."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from app.context import Context
from app.progress import Lines
from catalog.errors import CatalogError
from catalog.outcomes import Run
from catalog.storage import sources
from ingest.run import Tools, visit_if_due
from ingest.sources import SOURCES, source_named
from ingest.tagging import Tagger

TICK_SECONDS = 10
STOP_SECONDS = 5.0  # for visits in hand; what is not ended then goes on at the next start

log = structlog.get_logger("skillfeed.worker")


class Stopping(BaseException):
    """Raised in a visit's pauses when the worker is asked to end."""


class Worker:
    """Visits what is due, each source in a thread of its own."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stopping = threading.Event()
        self._tagger = Tagger.load(context.taxonomy)
        self._running: dict[str, threading.Thread] = {}
        self.runs: dict[str, Run] = {}  # the last ended visit of each source
        with context.storage.write() as db:
            sources.register(db, {s.name: s.enabled for s in SOURCES}, context.clock.now())

    def tick(self) -> None:
        """Ask what is due and start it, unless it runs already."""
        context = self._context
        try:
            with context.storage.read() as db:
                due = sources.due(db, context.clock.now())
        except CatalogError as error:
            log.warning("tick_failed", error=str(error))
            return
        for name in due:
            if name in {s.name for s in SOURCES} and not self._stopping.is_set() and not self._is_running(name):
                thread = threading.Thread(target=self._visit, args=(name,), name=f"visit {name}", daemon=True)
                self._running[name] = thread
                thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the visits in hand."""
        for thread in list(self._running.values()):
            thread.join(seconds)

    def stop(self) -> None:
        """End the visits in hand at their next pause; the pages they stored stay, the rest is fetched again."""
        self._stopping.set()
        self.wait(STOP_SECONDS)

    def _is_running(self, name: str) -> bool:
        thread = self._running.get(name)
        return thread is not None and thread.is_alive()

    def _visit(self, name: str) -> None:
        c = self._context
        tools = Tools(c.settings, c.storage, c.taxonomy, self._tagger, c.clock, pause=self._pause, progress=Lines())
        try:
            run = visit_if_due(tools, source_named(name))
            if run is not None:
                self.runs[name] = run
        except Stopping:
            log.info("visit_stopped", source=name)
        except CatalogError as error:  # database away or lease lost: the next tick tries again
            log.warning("visit_failed", source=name, error=str(error))

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopping


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
