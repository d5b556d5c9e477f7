"""The replay server of the upstreams, where REPLAY_SERVER_DIR names it: started for a test, moved from day to day."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalog.categories import ALIASES

FOLDER = os.environ.get("REPLAY_SERVER_DIR", "")
needs_replay = pytest.mark.skipif(not FOLDER, reason="REPLAY_SERVER_DIR names no replay server of the upstreams")


class Replay:
    """A running replay server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, name: str, body: dict[str, Any] | None = None) -> Any:
        """Ask or tell one of its control endpoints."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{name}", data=data)  # noqa: S310 - on loopback
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def put(self, day: date) -> None:
        """Move it to a day."""
        self.control("today", {"date": day.isoformat()})

    def faults(self, profile: str, **more: Any) -> None:
        """Choose a fault profile."""
        self.control("faults", {"profile": profile, **more})


@contextmanager
def replay(day: date, *arguments: str) -> Iterator[Replay]:
    """A server on a free port, showing the day."""
    command = [sys.executable, "-B", "serve.py", "--port", "0", "--today", day.isoformat(), *arguments]
    process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Replay(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def announcement_days() -> list[date]:
    """The days on which the recorded arXiv announced something."""
    manifest = json.loads((Path(FOLDER) / "data" / "manifest.json").read_text(encoding="utf-8"))
    return [date.fromisoformat(d) for d in manifest["announcement_days"]]


def recorded(categories: tuple[str, ...], first: date, last: date) -> set[str]:
    """Ids of the arXiv records announced in these days that belong to the categories, aliases folded, deleted ones left out."""
    chosen = {ALIASES.get(c, c) for c in categories}
    with gzip.open(Path(FOLDER) / "data" / "arxiv.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {
        r["id"]
        for r in rows
        if first.isoformat() <= r["day"] <= last.isoformat()
        and chosen & {ALIASES.get(c, c) for c in r["categories"]}
        and not (r.get("deleted") and r["deleted"] <= last.isoformat())
    }
