"""Thirty simulated days of the worker against the replay server: `python -m tests.thirty_days [--days 30] [--gap 0.02]`.

Every source is on at its own cadence. The instance's clock and the server's are put forward hour by hour. The gaps between
requests are real time, so they are made small, and the report tells each host's smallest gap as a multiple of the one that was
set.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour_of_day
from typing import Any

from app import logging
from app.context import Context
from app.worker import Worker
from catalog.settings import read_settings
from catalog.storage import Storage, entries, sources
from catalog.taxonomy import load_taxonomy
from tests.instance import HandClock, variable
from tests.replay import Replay, announcement_days, recorded, replay

DAYS = 30
GAP = 0.02  # seconds, for arXiv and every other host
STEP = timedelta(hours=1)
ARXIV = "arxiv.org (all)"  # its hosts count as one


@dataclass
class Report:
    """What the days came to."""

    gap: float
    days: int
    hosts: dict[str, Any] = field(default_factory=dict)  # the server's report by host, groups included
    not_served: list[str] = field(default_factory=list)
    runs: dict[str, Counter[str]] = field(default_factory=dict)  # outcomes by source
    warned: list[str] = field(default_factory=list)  # a line per warning that was ever raised
    unconfirmed: list[str] = field(default_factory=list)  # batches of arXiv
    days_missing: list[str] = field(default_factory=list)  # announcement days without a batch
    missing: set[str] = field(default_factory=set)  # announced and not held
    wanted: int = 0
    seconds: float = 0.0

    def lines(self) -> list[str]:
        """As a table."""
        head = f"{'host':34} {'requests':>8} {'304':>6} {'304 of unchanged':>16} {'again':>6} {'unasked':>7}"
        out = [f"{head} {'min gap / gap':>13} {'at once':>7}"]
        for name, one in sorted(self.hosts.items()):
            share, gap = one["share_304_of_unchanged"], one["min_gap"]
            out.append(
                f"{name:34} {one['requests']:8} {one['statuses'].get('304', 0):6} "
                f"{'' if share is None else f'{share:.3f}':>16} {one['unchanged_full']:6} {one['missed_conditional']:7} "
                f"{'' if gap is None else f'{gap / self.gap:.2f}':>13} {one['max_concurrent']:7}"
            )
        out += ["", *(f"{name:20} {dict(sorted(outcomes.items()))}" for name, outcomes in sorted(self.runs.items())), ""]
        out.append(f"arXiv: {self.wanted} announced, {len(self.missing)} of them missing, {len(self.unconfirmed)} batches open")
        out += [*self.unconfirmed[:10], *self.days_missing[:10], *self.warned, *self.not_served[:10]]
        return [*out, f"{self.seconds:.0f} s"]


def simulate(server: Replay, url: str, first: date, days: int, gap: float = GAP) -> Report:
    """Run the worker from the day on, tick by tick, and report; the database is new."""
    given = {"UPSTREAM_MIRROR": server.url, "ARXIV_GAP_SECONDS": gap, "HOST_GAP_SECONDS": gap, "DATABASE_URL": url}
    given["KAGGLE_API_TOKEN"] = "KGAT_invented_0001"
    settings = read_settings({variable(k): str(v) for k, v in given.items()}, None)
    clock, storage, report = HandClock(datetime.now(UTC)), Storage(settings.database), Report(gap, days)
    began = time.monotonic()
    try:
        clock.at = datetime.combine(first, hour_of_day(), UTC)
        worker = Worker(Context(settings, storage, load_taxonomy(), clock))
        for _ in range(days * timedelta(days=1) // STEP):
            server.control("today", {"date": clock.at.isoformat().replace("+00:00", "Z")})
            worker.tick()
            worker.wait()
            _note_warnings(storage, report)
            clock.at += STEP
        _note_end(storage, report, settings.categories, first, first + timedelta(days=days - 1))
    finally:
        storage.close()
    told = server.control("report")
    report.hosts = told["hosts"] | told["groups"]
    report.not_served = [str(path) for path in told["not_served_paths"]]
    report.seconds = time.monotonic() - began
    return report


def _note_warnings(storage: Storage, report: Report) -> None:
    with storage.read() as db:
        for state in sources.states(db):
            line = f"{state.name} since {state.warned_since}: {state.warning}"
            if state.warning and line not in report.warned:
                report.warned.append(line)


def _note_end(storage: Storage, report: Report, categories: tuple[str, ...], first: date, last: date) -> None:
    wanted = recorded(categories, first, last)
    announced = {day for day in announcement_days() if first <= day <= last}
    with storage.read() as db:
        for run in sources.runs(db, limit=1_000_000):
            report.runs.setdefault(run.source, Counter())[run.outcome.value if run.outcome else "running"] += 1
        batches = sources.batches(db, "arxiv", first, last)
        report.missing = wanted - entries.held(db, "arxiv", wanted)
    report.wanted = len(wanted)
    report.unconfirmed = [f"{b.part} {b.day}: {b.note} {b.missing}" for b in batches if not b.confirmed]
    held = {(b.part, b.day) for b in batches}
    report.days_missing = [
        f"{part} {day}: no batch" for part in categories for day in sorted(announced) if (part, day) not in held
    ]


def first_day() -> date:
    """The first recorded day."""
    return announcement_days()[0]


def main() -> None:
    """Simulate and print."""
    logging.set_up("warning")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--gap", type=float, default=GAP)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with replay(first_day()) as server, tempfile.TemporaryDirectory() as folder:
        report = simulate(server, f"sqlite:///{folder}/thirty.db", first_day(), asked.days, asked.gap)
    sys.stdout.write(json.dumps(report.hosts, indent=1) if asked.json else "\n".join(report.lines()) + "\n")


if __name__ == "__main__":
    main()
