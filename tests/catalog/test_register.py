"""Rows that several processes make at their start."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.storage import Storage, sources, upkeep

NOW = datetime(2026, 1, 5, tzinfo=UTC)
NAMES = {f"source{n}": n % 2 == 0 for n in range(5)}


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)  # SQLite has one writer at a time
def test_two_workers_that_start_at_once_make_each_row_once(migrated_url: str) -> None:
    one, other = Storage(migrated_url, upgrade=False), Storage(migrated_url, upgrade=False)
    with other.read() as view, one.write() as db:
        assert sources.states(view) == []
        sources.register(db, NAMES, NOW)
        upkeep.register(db, ["thin"], NOW)
    with one.write() as db, pytest.MonkeyPatch.context() as patch:
        # As seen by a process that looked before the other had committed.
        patch.setattr(
            "catalog.storage.engine.select", lambda column: column.table.select().with_only_columns(column).where(False)
        )
        sources.register(db, NAMES | {"later": True}, NOW)
        upkeep.register(db, ["thin"], NOW)
    with other.read() as db:
        assert {s.name: s.enabled for s in sources.states(db)} == NAMES | {"later": True}
        assert list(upkeep.chores(db)) == ["thin"]
    one.close()
    other.close()
