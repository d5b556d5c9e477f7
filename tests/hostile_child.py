"""A worker process that does as it is told: `python -m tests.hostile_child <database> <mirror> <source,…> <categories>`.

It reads orders as lines of JSON and answers each with one: what happened, how long it took, and the most memory it ever had.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MIB = 1024  # kB, in which /proc counts


class WorkerChild:
    """The process, as the test sees it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.parser_peak = 0  # MiB; the most that a process that reads answers has had

    def order(self, **what: Any) -> dict[str, Any]:
        """Have one order carried out."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the worker ended with {self.process.wait()}"
        answer: dict[str, Any] = json.loads(line)
        self.parser_peak = max(self.parser_peak, answer["parser_peak"])
        return answer

    def visit(self, day: date, hour: int = 12) -> dict[str, Any]:
        """Have every source visited at an hour of a day (UTC); `runs` has the ends by source."""
        return self.order(order="visit", at=datetime(day.year, day.month, day.day, hour, tzinfo=UTC).isoformat())

    def fetch(self, url: str, function: str, **limits: float) -> dict[str, Any]:
        """Have an address fetched and read by a function (`module:name`); `longest` is the longest of its texts."""
        return self.order(order="fetch", url=url, function=function, limits=limits)


@contextmanager
def worker_child(url: str, mirror: str, sources: str, categories: str = "cs.LG stat.ML") -> Iterator[WorkerChild]:
    """Such a process, which has ended well when the block has; `sources` are names with commas between, or `all`."""
    command = [sys.executable, "-m", "tests.hostile_child", url, mirror, sources, categories]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield WorkerChild(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def peak(pid: int | str = "self") -> int:
    """The most memory that a process has had resident, in MiB; 0 for one that is gone."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) // MIB if found else 0


def main() -> None:
    """Carry out orders until there are no more."""
    import sqlalchemy

    from app import logging
    from app.context import Context
    from app.worker import Worker
    from catalog.errors import IngestError
    from catalog.settings import read_settings
    from catalog.storage import Storage, sources
    from catalog.storage import schema as s
    from catalog.taxonomy import load_taxonomy
    from ingest.fetch import Fetcher
    from ingest.parsing import SHARED
    from tests.instance import HandClock

    logging.set_up("error")
    url, mirror, names, categories = sys.argv[1:]
    given = {
        "DATABASE_URL": url, "UPSTREAM_MIRROR": mirror, "ARXIV_GAP_SECONDS": "0", "HOST_GAP_SECONDS": "0",
        "ARXIV_CATEGORIES": categories,
    }  # fmt: skip
    settings = read_settings({f"SKILLFEED_{k}": v for k, v in given.items()}, None)
    storage, clock = Storage(settings.database), HandClock(datetime(2026, 1, 1, tzinfo=UTC))

    class Impatient(Worker):
        """A worker that waits a moment where others wait for minutes."""

        def _pause(self, seconds: float) -> None:
            super()._pause(min(seconds, 0.02))

    worker = Impatient(Context(settings, storage, load_taxonomy(), clock))

    def visit(order: dict[str, Any]) -> dict[str, Any]:
        clock.at = datetime.fromisoformat(order["at"])
        with storage.write() as db:
            chosen = sqlalchemy.true() if names == "all" else s.sources.c.name.in_(names.split(","))
            db.execute(s.sources.update().values(next_due=clock.at, enabled=chosen))
            due = set(sources.due(db, clock.at))
        worker.runs.clear()
        for _ in range(10):  # so many visits at once, the others at the next tick
            if due - set(worker.runs):
                worker.tick()
                worker.wait()
        with storage.read() as db:
            open_runs = db.execute(sqlalchemy.select(sqlalchemy.func.count()).where(s.runs.c.finished.is_(None))).scalar_one()
        return {"runs": {name: run.as_dict() for name, run in worker.runs.items()}, "open": open_runs}

    def fetch(order: dict[str, Any]) -> dict[str, Any]:
        module, _, name = order["function"].partition(":")
        function = getattr(importlib.import_module(module), name)
        try:
            with Fetcher(settings, storage, pause=lambda _: None) as fetcher:
                read: Any = SHARED.parse(function, fetcher.get(order["url"], **order["limits"]).content)
        except IngestError as error:
            return {"reason": getattr(error, "reason", ""), "error": str(error), "longest": 0}
        return {"reason": "", "error": "", "longest": max((len(text) for text in read), default=0)}

    for line in sys.stdin:
        order = json.loads(line)
        begun = time.monotonic()
        answer = {"visit": visit, "fetch": fetch}[order["order"]](order)
        answer |= {"seconds": time.monotonic() - begun, "peak": peak(), "files": len(list(Path("/proc/self/fd").iterdir()))}
        answer["parser_peak"] = max([peak(pid) for pid in SHARED.idle], default=0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    storage.close()


if __name__ == "__main__":
    main()
