"""What tests of storage have done by processes of their own: `python -m tests.catalog.child <copies> <act> <database> …`."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, text

from catalog.storage import Storage, leases
from catalog.storage.leases import Lease
from tests.catalog.things import Thing, changed, some_things, store

ROOT = Path(__file__).resolve().parents[2]
PAGE = 10
NAME = "spacing:example.org"


def start(act: str, url: str, *arguments: object, copies: int = 1) -> subprocess.Popen[str]:
    """Start an act; each copy says "ready", waits for a byte on its standard input and then says what it did."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.catalog.child", str(copies), act, url, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def release(process: subprocess.Popen[str], copies: int = 1) -> None:
    """Let the copies go as soon as all are ready."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(copies)] == ["ready\n"] * copies
    process.stdin.write("." * copies)
    process.stdin.flush()


def all_at_once(act: str, url: str, *arguments: object, copies: int = 4) -> list[str]:
    """Run an act in so many processes together and return their lines; one that complains fails the test."""
    process = start(act, url, *arguments, copies=copies)
    release(process, copies)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (0, "")
    return out.splitlines()


def say(line: object) -> None:
    """One line to the test, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def write(storage: Storage, count: int, seed: int) -> None:
    """Write the same pages as everybody else in an order of one's own; each page raises the counter in `meta` by one."""
    things = some_things(count)
    pages = [things[i : i + PAGE] for i in range(0, len(things), PAGE)]
    for page in random.Random(seed).sample(pages, len(pages)):
        storage.writing(lambda db, page=page: _write_and_count(db, page))  # type: ignore[misc]


def _write_and_count(db: Connection, page: Sequence[Thing]) -> None:
    store(db, page)
    count = int(db.execute(text("SELECT value FROM meta WHERE key = 'pages'")).scalar_one())
    db.execute(text("UPDATE meta SET value = :value WHERE key = 'pages'"), {"value": str(count + 1)})


def write_on(storage: Storage, first: int) -> None:
    """Write pages of new and changed things for ever, each with its number in `meta`; say each one that is committed."""
    number = first
    rng = random.Random(first)
    while True:
        page = [replace(t, key=f"2601.{number * PAGE + n:05d}") for n, t in enumerate(some_things(PAGE, number))]
        page += [changed(t, rng) for t in some_things(PAGE)]
        storage.writing(lambda db, page=page, key=f"page {number}": _write_and_note(db, page, key))  # type: ignore[misc]
        say(number)
        number += 1


def _write_and_note(db: Connection, page: Sequence[Thing], key: str) -> None:
    store(db, page)
    db.execute(text("INSERT INTO meta (key, value) VALUES (:key, '')"), {"key": key})


def claim(storage: Storage, rounds: int, marks: str) -> None:
    """Claim a name again and again; while it is held, a mark is made that no other holder may find."""
    owner, mark = leases.new_owner(), Path(marks)
    while rounds:
        with storage.write() as db:
            got = leases.claim(db, NAME, owner, 60)
        if not isinstance(got, Lease):
            time.sleep(0.001)
            continue
        with mark.open("x") as handle:  # fails when another holder has not left
            handle.write(owner)
        say(got.fence)
        mark.unlink()
        with storage.write() as db:
            leases.release(db, got)
        rounds -= 1


def hold(storage: Storage) -> None:
    """Claim a name for a long time and wait to be killed."""
    with storage.write() as db:
        got = leases.claim(db, NAME, leases.new_owner(), 600)
    assert isinstance(got, Lease)
    say(got.owner)
    sys.stdin.read()


def main() -> int:
    """Run the act that the arguments name in as many processes as they say; 1 when one of them failed."""
    copies, act, url, *given = sys.argv[1:]
    number = 0
    others: list[int] = []
    for number in range(int(copies)):  # each copy keeps the number it was forked with
        if number == int(copies) - 1:
            break
        process = os.fork()  # imports take longest; no thread runs and no database is open yet
        if process == 0:
            others.clear()
            break
        others.append(process)
    storage = Storage(url, upgrade=False)
    say("ready")
    os.read(0, 1)  # so that all begin at once
    if act == "write":
        write(storage, int(given[0]), number)
    elif act == "write_on":
        write_on(storage, int(given[0]))
    elif act == "claim":
        claim(storage, int(given[0]), given[1])
    else:
        hold(storage)
    storage.close()
    return int(sum(os.waitpid(other, 0)[1] for other in others) > 0)


if __name__ == "__main__":
    sys.exit(main())
