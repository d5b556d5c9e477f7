"""The data version changes with what an answer could show, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from catalog.items import Signal
from catalog.storage import Storage, corrections, leases, requests, signals, sources, versions
from catalog.storage.schema import metadata
from catalog.storage.versions import GROUPS, UNSEEN, current
from tests.catalog.things import NOW, Thing, opened, store

THING = Thing("1", topics=(("python", 0.5),))
PAIR = (("a", "1"), ("b", "2"))


def _say(number: float) -> Callable[[Connection], object]:
    return lambda db: signals.put(db, [Signal("arxiv", "1", "huggingface", "upvotes", number, NOW)])


ACTS: dict[str, tuple[Callable[[Connection], object], set[str]]] = {
    "a new item": (lambda db: store(db, [Thing("2")]), {"items"}),
    "a revised one": (lambda db: store(db, [replace(THING, title="Other", version=2)]), {"items"}),
    "a number from outside": (_say(1), {"items"}),
    "the same number again": (_say(1), set()),
    "a correction": (lambda db: corrections.put(db, {PAIR: True}, NOW), {"items"}),
    "a source": (lambda db: sources.register(db, {"arxiv": True}, NOW), {"ledger"}),
    "the same source": (lambda db: sources.register(db, {"arxiv": True}, NOW), set()),
    "a visit that is asked for": (lambda db: requests.ask(db, "arxiv", NOW), {"ledger"}),
    "an item and a visit": (lambda db: (_say(2)(db), requests.ask(db, "pmlr", NOW)), {"items", "ledger"}),
    "a lease": (lambda db: leases.claim(db, "host:x", "me", 60), set()),
    "a question": (lambda db: db.execute(text("SELECT 1")), set()),
    "a deletion of nothing": (lambda db: db.execute(text("DELETE FROM items WHERE id = -1")), set()),
    "a word before": (lambda db: db.execute(text("WITH x AS (SELECT 1 AS n) DELETE FROM requests WHERE id > 0")), {"ledger"}),
    "rows past SQLAlchemy": (lambda db: versions.touch(db, "items"), {"items"}),
}  # fmt: skip


@pytest.fixture
def storage(migrated_url: str) -> Iterator[Storage]:
    with opened(migrated_url, THING) as made:
        yield made


def seen(storage: Storage) -> dict[str, str]:
    with storage.read() as db:
        return {group: current(db, group) for group in GROUPS}


def test_each_act_changes_the_versions_that_show_it(storage: Storage) -> None:
    known: set[str] = set()
    for name, (act, changed) in ACTS.items():
        before = seen(storage)
        with storage.write() as db:
            act(db)
        after = seen(storage)
        assert {g for g in GROUPS if before[g] != after[g]} == changed, name
        assert not known & {after[g] for g in changed}, name
        known |= set(after.values())


def test_what_is_rolled_back_changes_nothing(storage: Storage) -> None:
    before = seen(storage)

    def fail() -> None:
        with storage.write() as db:
            store(db, [Thing("2")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with storage.write() as db:  # the same connection again
        leases.claim(db, "host:x", "me", 60)
    assert seen(storage) == before


def test_a_view_keeps_its_version_and_another_process_sees_the_new_one(storage: Storage) -> None:
    other = Storage(storage.url, upgrade=False)
    with storage.read() as db:
        before = current(db, "items", "ledger")
        with other.write() as writer:
            store(writer, [Thing("2")])
        assert current(db, "items", "ledger") == before
    assert seen(other) == seen(storage)
    assert seen(storage)["items"] != before.partition(".")[0]
    other.close()


def test_every_table_is_told_of() -> None:
    told = set().union(*GROUPS.values()) | UNSEEN
    assert set(metadata.tables) <= told
    assert told - set(metadata.tables) == {"search", "alembic_version"}


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("INSERT INTO runs (id) VALUES (1)", "runs"),
        ("  insert or ignore into\n items VALUES (1)", "items"),
        ('UPDATE "items" SET x = 1', "items"),
        ("UPDATE ONLY items SET x = 1", "items"),
        ("COPY entries (id) FROM STDIN", "entries"),
        ("TRUNCATE TABLE items", "items"),
        ("with a as (select 1)\nINSERT INTO leases SELECT * FROM a", "leases"),
        ("SELECT 'UPDATE items'", None),
        ("INSERT INTO leases VALUES (1) ON CONFLICT DO UPDATE SET owner = 'x'", "leases"),
    ],
)
def test_the_table_of_a_statement(statement: str, table: str | None) -> None:
    found: Any = versions._WRITES.match(statement) or versions._WRITES_WITH.match(statement)
    assert (found[1] if found else None) == table
