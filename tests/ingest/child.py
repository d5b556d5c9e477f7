"""A process that fetches: `python -m tests.ingest.child <database> <mirror> <gap> <address>…` asks for one after the other.

It says `ready`, waits for a line, and says what came of each address.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from catalog.errors import FetchError
from catalog.storage import Storage
from ingest.fetch import Fetcher
from tests.ingest.loopback import settings_for

ROOT = Path(__file__).resolve().parents[2]


def start(url: str, mirror: str, gap: float, *addresses: str) -> subprocess.Popen[str]:
    """A process that fetches the addresses once `go` lets it begin."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ingest.child", url, mirror, str(gap), *addresses],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(*children: subprocess.Popen[str]) -> None:
    """Let them begin together, when they are ready."""
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()


def said(child: subprocess.Popen[str]) -> list[str]:
    """What it said, once it has ended."""
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    return out.split()


def say(word: object) -> None:
    """One line to the test, at once."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """Fetch what the arguments name."""
    url, mirror, gap, *addresses = sys.argv[1:]
    storage = Storage(url, upgrade=False)
    with Fetcher(settings_for(mirror, url, ARXIV_GAP_SECONDS=gap), storage) as fetcher:
        say("ready")
        sys.stdin.readline()
        for address in addresses:
            try:
                say(fetcher.get(address).status)
            except FetchError as error:
                say(error.reason)
    storage.close()


if __name__ == "__main__":
    main()
