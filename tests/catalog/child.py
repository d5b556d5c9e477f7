"""What tests of storage have done by processes of their own: `python -m tests.catalog.child <act> <database> <arguments>`."""

from __future__ import annotations

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


def start(act: str, url: str, *arguments: object) -> subprocess.Popen[str]:
    """Start an act; the child says what it did on its standard output."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.catalog.child", act, url, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def all_at_once(acts: Sequence[Sequence[object]]) -> list[list[str]]:
    """Start them together, wait for all and return their lines; a child that complains fails the test."""
    children = [start(str(act), str(url), *arguments) for act, url, *arguments in acts]
    for process in children:
        assert process.stdout is not None
        process.stdout.readline()
    for process in children:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [c.communicate(timeout=600) for c in children]
    assert [(c.returncode, err) for c, (_, err) in zip(children, said, strict=True)] == [(0, "")] * len(said)
    return [out.splitlines() for out, _ in said]


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


def main() -> None:
    """Run the act that the arguments name."""
    act, url, *given = sys.argv[1:]
    storage = Storage(url, upgrade=False)
    say("ready")
    sys.stdin.readline()  # so that all begin at once
    if act == "write":
        write(storage, int(given[0]), int(given[1]))
    elif act == "write_on":
        write_on(storage, int(given[0]))
    elif act == "claim":
        claim(storage, int(given[0]), given[1])
    else:
        hold(storage)
    storage.close()


if __name__ == "__main__":
    main()
