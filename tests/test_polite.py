"""Two processes that share a database ask arXiv as one: never in parallel, never sooner than the gap."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.loopback_arxiv import LoopbackArxiv, sample_papers
from tests.replay import needs_replay, replay

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 1, 29)


def start(url: str, mirror: str, gap: float, *command: str) -> subprocess.Popen[bytes]:
    """A `skillfeed` process on the database."""
    settings = {
        "DATABASE_URL": url, "UPSTREAM_MIRROR": mirror, "ARXIV_GAP_SECONDS": str(gap), "CLOCK": f"{DAY}T12:00:00Z",
        "ARXIV_CATEGORIES": "cs.LG stat.ML",
    }  # fmt: skip
    environment = os.environ | {f"SKILLFEED_{k}": v for k, v in settings.items()} | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *command, "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def both(url: str, mirror: str, gap: float) -> list[int]:
    """Exit codes of a visit and a backfill that run at once."""
    processes = [
        start(url, mirror, gap, "ingest", "arxiv"),
        start(url, mirror, gap, "backfill", "arxiv", "--since", "2026-01-12", "--set", "cs"),
        start(url, mirror, gap, "ingest", "arxiv"),
    ]
    return [(p.communicate(timeout=120), p.returncode)[1] for p in processes]


@pytest.mark.slow
def test_three_processes_keep_the_gap_together(migrated_url: str) -> None:
    with LoopbackArxiv(sample_papers(seed=5, per_day=6), DAY, oai_page=40) as arxiv:
        assert both(migrated_url, arxiv.url, 0.3) == [0, 0, 0]
        assert len(arxiv.requests) >= 10
        assert arxiv.min_gap() >= 0.3
        assert arxiv.max_concurrent() == 1


@needs_replay
@pytest.mark.replay
@pytest.mark.slow
def test_the_replay_server_reports_the_gap_of_arxivs_terms(tmp_path: Path) -> None:
    with replay(DAY) as server:
        assert both(f"sqlite:///{tmp_path}/polite.db", server.url, 3) == [0, 0, 0]
        report = server.control("report")["groups"]["arxiv.org (all)"]
    assert report["requests"] >= 10
    assert report["min_gap"] >= 3
    assert report["max_concurrent"] == 1
