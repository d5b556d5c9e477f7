"""A worker as a process: `python -m tests.worker_child <database> <folder> <lease> <tick> <visit> <source>…`.

Its sources fetch nothing: a visit lasts so many seconds and leaves a line `<source> <process> <begin|end>` in the folder's log;
they want to be visited once. Leases last so many seconds instead of sixty, so that a test need not wait for a minute.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import ingest.run
from app import worker
from app.context import Context
from catalog.entries import EntryData, Kind
from catalog.outcomes import Outcome, Run
from catalog.settings import Settings, read_settings
from catalog.storage import Storage
from catalog.taxonomy import load_taxonomy
from ingest.source import History, Page, Visit


class Slow:
    """A source whose visit takes its time and keeps an entry at its end."""

    homepage = "https://example.org/"
    summary = "for tests"
    enabled = True

    def __init__(self, name: str, log: Path, seconds: float) -> None:
        self.name, self._log, self._seconds = name, log, seconds

    def steps(self, settings: Settings) -> int:
        """One part."""
        return 1

    def visit(self, visit: Visit) -> None:
        """Say that it begins, take its time, keep an entry, say that it ends."""
        part = visit.begin("all")
        self._say("begin")
        time.sleep(self._seconds)
        title = f"Kept by {os.getpid()}"
        url = f"https://example.org/{self.name}"
        visit.keep(part, Page([EntryData(source=self.name, key="one", kind=Kind.PAPER, title=title, url=url)]))
        part.outcome = Outcome.OK
        self._say("end")

    def next_due(self, now: datetime, run: Run, history: History) -> datetime:
        """Not in the time of the test."""
        return now + timedelta(days=1)

    def _say(self, what: str) -> None:
        with self._log.open("a", encoding="ascii") as log:
            log.write(f"{self.name} {os.getpid()} {what}\n")


def main() -> None:
    """Tick until the process is told to end."""
    url, folder, lease, tick, seconds, *names = sys.argv[1:]
    for module in (ingest.run, worker):
        vars(module).update(LEASE_SECONDS=float(lease), HEARTBEAT_SECONDS=float(lease) / 6)
    known = [Slow(name, Path(folder) / "log", float(seconds)) for name in names]
    settings = read_settings({"SKILLFEED_DATABASE_URL": url, "SKILLFEED_DATA_DIR": folder}, None)
    storage = Storage(settings.database, upgrade=False)
    one = worker.Worker(Context(settings, storage, load_taxonomy(), settings.make_clock()), known)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not ended.wait(float(tick)):
        one.tick()
    one.stop()
    storage.close()


if __name__ == "__main__":
    main()
