"""One `skillfeed ingest` of all that a replay server of the upstreams holds: wall time, and peak memory of both processes.

REPLAY_SERVER_DIR names the folder of the server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.measuring import empty

SINCE = "2017-01-01"
_EVERY = 0.05  # seconds between two looks for a parser process that is new


def table(folder: Path) -> Table:
    """A row for the whole, and one for each source."""
    served = os.environ.get("REPLAY_SERVER_DIR", "")
    if not served:
        raise SystemExit("REPLAY_SERVER_DIR names no replay server of the upstreams")
    command = [sys.executable, "-B", "serve.py", "--port", "0"]
    with subprocess.Popen(command, cwd=served, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            said = json.loads(server.stdout.readline())
            result, seconds, peaks = _ingest(folder, said["url"])
        finally:
            server.terminate()
    out = empty(f"skillfeed ingest --since {SINCE}, all sources", ("source", "seconds", "seen", "new", "per second", "outcome"))
    seen = new = 0
    for run in result["runs"]:
        seen, new = seen + run["seen"], new + run["new"]
        rate = run["seen"] / run["seconds"] if run["seconds"] else 0
        out.add_row(
            run["source"], f"{run['seconds']:.1f}", f"{run['seen']:,}", f"{run['new']:,}", f"{rate:,.0f}", run["outcome"]
        )
    out.add_row("all", f"{seconds:.1f}", f"{seen:,}", f"{new:,}", f"{seen / seconds:,.0f}", "")
    for name, peak in peaks.items():
        out.add_row(f"peak memory of the {name}", f"{peak / 1024:,.0f} MiB", "", "", "", "")
    return out


def _ingest(folder: Path, mirror: str) -> tuple[dict[str, list[dict[str, Any]]], float, dict[str, int]]:
    """What the command says, its wall time in seconds, and the peaks of resident memory in KiB."""
    settings = {
        "DATA_DIR": str(folder / "replayed"), "UPSTREAM_MIRROR": mirror, "ARXIV_GAP_SECONDS": "0", "HOST_GAP_SECONDS": "0",
        "LOG_LEVEL": "error",
    }  # fmt: skip
    (folder / "replayed").mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SKILLFEED_")}
    environment |= {f"SKILLFEED_{k}": v for k, v in settings.items()}
    started = time.perf_counter()
    command = [sys.executable, "-m", "app.cli", "ingest", "--since", SINCE, "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        peaks = {"command": 0, "parser process": 0}
        over = threading.Event()
        watch = threading.Thread(target=_watch, args=(process.pid, peaks, over))
        watch.start()
        said = process.communicate()[0]
        over.set()
        watch.join()
    return json.loads(said), time.perf_counter() - started, peaks


def _watch(pid: int, peaks: dict[str, int], over: threading.Event) -> None:
    while not over.wait(_EVERY):
        peaks["command"] = max(peaks["command"], _peak(pid))
        for child in _children(pid):
            peaks["parser process"] = max(peaks["parser process"], _peak(child))


def _peak(pid: int) -> int:
    """VmHWM in KiB, 0 for a process that is gone."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return 0


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(n) for task in Path(f"/proc/{pid}/task").iterdir() for n in (task / "children").read_text().split()]
    return []
