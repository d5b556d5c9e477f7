"""Killing an ingest at any moment and running it again gives the tables of one undisturbed run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from catalog.storage import Storage
from tests.dumps import check_derived, differences, dump
from tests.loopback_arxiv import LoopbackArxiv, sample_papers

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 1, 29)
SEED = 20260129


@pytest.fixture(scope="module")
def arxiv() -> Iterator[LoopbackArxiv]:
    """A loopback arXiv with small pages, so that a visit is many transactions."""
    with LoopbackArxiv(sample_papers(seed=5, per_day=10), DAY, oai_page=20) as server:
        yield server


def start(url: str, mirror: str) -> subprocess.Popen[bytes]:
    """`skillfeed ingest arxiv` on the database."""
    settings = {
        "DATABASE_URL": url, "UPSTREAM_MIRROR": mirror, "ARXIV_GAP_SECONDS": "0", "CLOCK": f"{DAY}T12:00:00Z",
        "ARXIV_CATEGORIES": "cs.LG stat.ML cs.CL cs.CV math.OC",
    }  # fmt: skip
    environment = os.environ | {f"SKILLFEED_{k}": v for k, v in settings.items()} | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "ingest", "arxiv", "--json"], env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def finish(url: str, mirror: str) -> None:
    """Run it to its end."""
    assert start(url, mirror).wait(120) == 0


def tables(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every table but ledger, fetch instants and row numbers."""
    storage = Storage(url, upgrade=False)
    try:
        check_derived(storage)
        return dump(storage, instants=False)
    finally:
        storage.close()


def begun(url: str) -> bool:
    """True once the visit stands in the ledger: the start of the interpreter is no part of what is tested."""
    from sqlalchemy import text

    storage = Storage(url, upgrade=False)
    try:
        with storage.read() as db:
            return bool(db.execute(text("SELECT count(*) FROM runs")).scalar())
    finally:
        storage.close()


def wait_until_begun(url: str, process: subprocess.Popen[bytes]) -> None:
    """Poll until the visit stands in the ledger, or the process has ended."""
    while not begun(url) and process.poll() is None:
        time.sleep(0.01)


def kill_at_random(new_database: Callable[[], str], arxiv: LoopbackArxiv, kills: int) -> None:
    """Kill at `kills` random moments of a visit, each on a new database, run again and compare."""
    calm = new_database()
    process = start(calm, arxiv.url)
    wait_until_begun(calm, process)
    began = time.monotonic()
    assert process.wait(120) == 0
    whole = time.monotonic() - began
    wanted = tables(calm)
    assert len(wanted["items"]) > 50
    moments, cut = random.Random(SEED), 0
    for n in range(kills):
        url = new_database()
        process = start(url, arxiv.url)
        wait_until_begun(url, process)
        time.sleep(moments.uniform(0, whole * 0.9))
        cut += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        finish(url, arxiv.url)
        assert differences(wanted, tables(url)) == {}, f"kill {n} with seed {SEED}"
    assert cut >= kills // 2  # most kills met a visit in the middle


@pytest.fixture
def new_database(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes migrated databases of the test's backend."""
    made = iter(range(1000))
    if backend == "postgres":
        make: Callable[..., str] = request.getfixturevalue("postgres_database")
        return lambda: make(migrated=True)

    def sqlite() -> str:
        url = f"sqlite:///{tmp_path}/{next(made)}.db"
        Storage(url).close()
        return url

    return sqlite


@pytest.mark.slow
def test_three_kills(new_database: Callable[[], str], arxiv: LoopbackArxiv) -> None:
    kill_at_random(new_database, arxiv, 3)


@pytest.mark.soak
def test_fifty_kills(new_database: Callable[[], str], arxiv: LoopbackArxiv) -> None:
    kill_at_random(new_database, arxiv, 50)
