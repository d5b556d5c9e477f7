"""Functions that tests have called in the process that reads answers: good ones, and those that break each limit."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import sys
import threading
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from catalog.entries import Basis, EntryData, Kind
from catalog.errors import ParseError
from catalog.outcomes import Counts, Outcome
from ingest.formats.arxiv_oai import OaiPage, parse_oai

ENTRY = EntryData(
    source="s", key="k", kind=Kind.PAPER, title="α", url="https://example.org/", announced=date(2026, 1, 2), basis=Basis.STATED,
    submitted=datetime(2026, 1, 1, 12, tzinfo=UTC), categories=("cs.LG",),
)  # fmt: skip


def size_and(body: bytes, more: int, *, times: int = 1) -> tuple[int, bytes]:
    return (len(body) + more) * times, body[:4]


def values(_: bytes) -> list[object]:
    return [
        OaiPage((ENTRY,), ("x",), Counter({"no-title": 2}), "token", date(2026, 1, 3)),
        Outcome.PARTIAL, Counts(seen=3), {1: {2.5}}, timedelta(days=1), None, frozenset({"a"}), True, b"x",
        bytearray(b"y"), 2**80,
    ]  # fmt: skip


def refuse(body: bytes) -> None:
    raise ParseError("no-feed", f"no feed: {len(body)}")


def stumble(_: bytes) -> None:
    raise KeyError("missing")


def recurse(body: bytes) -> None:
    recurse(body)


def spin(_: bytes) -> None:
    while True:
        pass


def spin_without_python(_: bytes) -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")


def sleep(_: bytes, seconds: float) -> None:
    time.sleep(seconds)


def swell(_: bytes) -> int:
    return len([bytes(2**20) for _ in range(2000)])


def swell_once(_: bytes) -> int:
    return len(bytearray(2**30))


def take(_: bytes, size: int) -> int:
    return len(b"x" * size)


def fault(_: bytes) -> None:
    ctypes.string_at(0)


def kill_itself(_: bytes) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave(_: bytes) -> None:
    os._exit(3)


def too_much(_: bytes) -> list[bytes]:
    return [b"x" * (257 * 2**20)]


def a_lock(_: bytes) -> object:
    return threading.Lock()


def a_path(_: bytes) -> object:
    return Path("x")


def pid(_: bytes) -> int:
    return os.getpid()


def environment(_: bytes) -> dict[str, str]:
    return dict(os.environ)


def modules(_: bytes) -> list[str]:
    return sorted(sys.modules)


def parent(_: bytes) -> int:
    return os.getppid()


def burn(_: bytes, seconds: float) -> int:
    """Take CPU time, in half the limit of a call."""
    turns, end = 0, time.process_time() + seconds
    while time.process_time() < end:
        turns += 1
    return turns


# ------------------------------------------------------------------ formats, by their longest text
def feed(body: bytes) -> list[str]:
    from ingest.formats.arxiv_feed import parse_daily

    return [e.title + e.abstract for _, e in parse_daily(body, "arxiv", date(2030, 1, 1)).entries]


def oai(body: bytes) -> list[str]:
    return [e.title + e.abstract for e in parse_oai(body, "arxiv", date(2030, 1, 1)).entries]


def listing(body: bytes) -> list[str]:
    from ingest.formats.arxiv_listing import parse_listing

    return [e.title + e.abstract for _, e in parse_listing(body, "arxiv").entries]


def results(body: bytes) -> list[str]:
    from ingest.formats.arxiv_results import parse_results

    return [e.title + e.abstract for e in parse_results(body, "arxiv", date(2030, 1, 1)).entries]


def json_unguarded(body: bytes) -> str:
    return str(json.loads(body))


def yaml_unguarded(body: bytes) -> str:
    import yaml

    return str(yaml.safe_load(body))
