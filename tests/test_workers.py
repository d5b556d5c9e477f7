"""Several worker processes on one database: nothing twice, nothing lost, and nothing written by one that lost its lease."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from catalog.storage import Storage, requests, sources
from catalog.storage.engine import sqlite_library

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
NAMES = [f"feed:{n}" for n in range(12)]
LEASE = 3.0  # seconds; 60 in earnest (LEASE_SECONDS)


class Workers:
    """Worker processes on one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.log = folder / "log"
        self.log.touch()
        self.storage = Storage(url, upgrade=False)
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *names: str, seconds: float, lease: float = LEASE) -> subprocess.Popen[str]:
        """A worker for these sources, whose visits last so long; it has said that it is ready."""
        words = [self.url, str(self.folder), str(lease), "0.1", str(seconds), *names]
        with (self.folder / "errors").open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.worker_child", *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def stop_between_writes(self, process: subprocess.Popen[str]) -> None:
        """Stop it (SIGSTOP) when it is in no transaction: whoever is stopped with a lock in hand holds up everybody."""
        for _ in range(100):
            process.send_signal(signal.SIGSTOP)
            if not self._writing():
                return
            process.send_signal(signal.SIGCONT)
            time.sleep(0.003)
        raise AssertionError("it never stood between two transactions")

    def _writing(self) -> bool:
        """True while a process is in a transaction that can hold up others."""
        if self.storage.dialect == "postgresql":
            with self.storage.read() as db:
                busy = text("SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND datname = current_database()")
                return bool(db.execute(busy).scalar_one() > 1)
        library = sqlite_library()
        with closing(library.connect(make_url(self.url).database, timeout=0.05, isolation_level=None)) as db:
            try:
                db.execute("BEGIN EXCLUSIVE")
                db.execute("ROLLBACK")
            except library.OperationalError:
                return True
        return False

    def said(self, what: str) -> list[tuple[str, int]]:
        """Source and process of each begin or end so far."""
        lines = [line.split() for line in self.log.read_text(encoding="ascii").splitlines()]
        return [(name, int(pid)) for name, pid, word in lines if word == what]

    def until(self, what: str, count: int, seconds: float = 60) -> float:
        """Wait until so many visits have begun or ended; returns how long it took."""
        began = time.monotonic()
        while len(self.said(what)) < count:
            assert time.monotonic() - began < seconds, (self.folder / "errors").read_text()[-2000:]
            time.sleep(0.02)
        return time.monotonic() - began

    def titles(self) -> list[str]:
        """What is held."""
        with self.storage.read() as db:
            return [str(title) for title in db.execute(text("SELECT title FROM entries")).scalars()]

    def runs(self) -> Counter[tuple[str, str]]:
        """How many runs stand in the ledger, by source and outcome, once no visit is under way."""
        deadline = time.monotonic() + 30
        while True:
            with self.storage.read() as db:
                found = sources.runs(db, limit=1000)
            if all(run.outcome for run in found) or time.monotonic() > deadline:
                return Counter((run.source, run.outcome.value if run.outcome else "running") for run in found)
            time.sleep(0.02)


@pytest.fixture
def workers(migrated_url: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(migrated_url, tmp_path)
    yield made
    for process in made.processes:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    made.storage.close()


def test_three_workers_visit_each_due_source_once(workers: Workers) -> None:
    with workers.storage.write() as db:
        sources.register(db, dict.fromkeys(NAMES, False), datetime.now(UTC))
    for _ in range(3):
        workers.start(*NAMES, seconds=0.3)
    with workers.storage.write() as db:
        for name in NAMES:
            sources.enable(db, name, True)
    workers.until("end", len(NAMES))
    assert workers.runs() == dict.fromkeys([(name, "ok") for name in NAMES], 1)
    assert Counter(name for name, _ in workers.said("begin")) == dict.fromkeys(NAMES, 1)


def test_three_workers_answer_each_request_once(workers: Workers) -> None:
    with workers.storage.write() as db:
        sources.register(db, dict.fromkeys(NAMES, False), datetime.now(UTC))
        for name in NAMES:
            requests.ask(db, name, datetime.now(UTC))
    for _ in range(3):
        workers.start(*NAMES, seconds=0.1)
    workers.until("end", len(NAMES))
    assert workers.runs() == dict.fromkeys([(name, "ok") for name in NAMES], 1)


def test_a_killed_worker_is_replaced_at_once_on_its_own_machine(workers: Workers) -> None:
    first = workers.start("feed:a", seconds=30)
    workers.until("begin", 1)
    first.kill()
    first.wait()
    second = workers.start("feed:a", seconds=0)
    assert workers.until("end", 1) < 10
    assert workers.runs() == {("feed:a", "failed"): 1, ("feed:a", "ok"): 1}  # the killed run is closed as interrupted
    assert workers.titles() == [f"Kept by {second.pid}"]


def stopped_and_continued(workers: Workers, lease: float, most: float) -> None:
    """A worker is stopped in a visit; another takes over within `most` seconds; what the first writes then is refused."""
    with workers.storage.write() as db:
        sources.register(db, {"feed:a": False}, datetime.now(UTC))
        requests.ask(db, "feed:a", datetime.now(UTC))
    first = workers.start("feed:a", seconds=1.0, lease=lease)
    workers.until("begin", 1)
    workers.stop_between_writes(first)
    second = workers.start("feed:a", seconds=0.1, lease=lease)
    assert workers.until("end", 1, most + 30) <= most
    with workers.storage.read() as db:
        answered = requests.latest(db)["feed:a"]
        (newest, _) = sources.runs(db, "feed:a")
    first.send_signal(signal.SIGCONT)
    first.terminate()
    assert first.wait(60) == 0
    assert [name for name, pid in workers.said("end") if pid == first.pid] == []  # `keep` raised, and nothing came after it
    assert workers.titles() == [f"Kept by {second.pid}"]
    with workers.storage.read() as db:
        again = requests.latest(db)["feed:a"]
    deadline = time.monotonic() + 30
    while again.state != "done" and time.monotonic() < deadline:
        time.sleep(0.02)
        with workers.storage.read() as db:
            again = requests.latest(db)["feed:a"]
    assert (again.id, again.outcome, again.run) == (answered.id, "ok", newest.id)


def test_a_stopped_worker_loses_its_lease_and_its_late_writes_are_refused(workers: Workers) -> None:
    stopped_and_continued(workers, LEASE, most=LEASE + 12)


@pytest.mark.soak
def test_with_the_leases_of_earnest_the_takeover_takes_at_most_seventy_seconds(workers: Workers) -> None:
    stopped_and_continued(workers, 60.0, most=70)


def test_a_worker_that_is_asked_to_end_does_so_within_ten_seconds(workers: Workers) -> None:
    first = workers.start("feed:a", "feed:b", seconds=60)
    workers.until("begin", 2)
    began = time.monotonic()
    first.terminate()
    assert first.wait(30) == 0
    assert time.monotonic() - began < 10
