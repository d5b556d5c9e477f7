"""Opening a database: which journal, which PRAGMAs, who may write, what instants become, what is said when it fails."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from catalog.errors import DatabaseUnavailable
from catalog.storage import Storage, migrate
from catalog.storage import schema as s
from catalog.storage.engine import Journal, explain, journal, open_engine, parse_url, set_journal, sqlite_library, wal_is_safe
from tests.catalog.child import ROOT
from tests.databases import with_database

DELETE = Journal("sqlite3", "3.40.1", "delete", "this SQLite has the WAL-reset bug")
SECRET = "pa55word"


def library(version: str) -> ModuleType:
    """A stand-in for a SQLite library of this version."""
    made = ModuleType(f"sqlite-{version}")
    vars(made).update(sqlite_version=version, sqlite_version_info=tuple(int(n) for n in version.split(".")))
    return made


# ------------------------------------------------------------------ the WAL-reset bug
@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ("3.40.1", "delete"),
        ("3.44.5", "delete"),
        ("3.44.6", "wal"),
        ("3.45.0", "delete"),
        ("3.46.1", "delete"),
        ("3.50.6", "delete"),
        ("3.50.7", "wal"),
        ("3.51.2", "delete"),
        ("3.51.3", "wal"),
        ("3.53.4", "wal"),
        ("3.54.1", "wal"),
        ("4.0.0", "wal"),
    ],
)
def test_wal_is_used_only_where_the_library_is_free_of_the_reset_bug(version: str, mode: str) -> None:
    chosen = journal(library(version))
    assert (chosen.mode, chosen.version) == (mode, version)
    assert ("WAL-reset bug (fixed in" in chosen.reason) == (mode == "delete")
    assert wal_is_safe(tuple(int(n) for n in version.split("."))) == (mode == "wal")


def test_the_library_is_the_newest_that_is_installed() -> None:
    import sqlite3

    assert sqlite_library().sqlite_version_info >= sqlite3.sqlite_version_info


def test_the_file_is_in_the_journal_mode_that_the_gate_names(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'new.db'}")
    with storage.read() as db:
        mode = db.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    assert storage.journal == journal()
    assert mode == journal().mode
    storage.close()


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_postgresql_has_no_journal_to_choose(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    assert storage.journal is None
    storage.close()


def test_a_closed_wal_file_goes_over_to_the_rollback_journal_and_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'turn.db'}"
    migrate.upgrade(url)
    engine = open_engine(url, pool_size=1)
    for wanted in (DELETE, journal(), DELETE):
        assert set_journal(engine, wanted) == wanted
        with engine.connect() as db:
            assert db.exec_driver_sql("PRAGMA journal_mode").scalar_one() == wanted.mode
        engine.dispose()
    assert not list(tmp_path.glob("*-wal"))


@pytest.mark.skipif(journal().mode != "wal", reason="this SQLite never makes a WAL file")
def test_a_wal_file_that_others_have_open_is_not_switched(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'live.db'}"
    storage = Storage(url)
    engine = open_engine(url, pool_size=1)
    with storage.read() as db:
        db.execute(select(s.meta)).all()
        with pytest.raises(DatabaseUnavailable, match=r"journal mode is wal, delete is needed .*stop the other programs"):
            set_journal(engine, DELETE)
    with storage.write() as db:
        db.execute(insert(s.meta), {"key": "still", "value": "here"})
    engine.dispose()
    storage.close()


@pytest.mark.slow
def test_an_older_library_in_another_process_leaves_a_live_wal_file_alone(tmp_path: Path) -> None:
    import sqlite3

    if journal().mode != "wal" or wal_is_safe(sqlite3.sqlite_version_info):
        pytest.skip("Python's own SQLite has no WAL-reset bug, or no other SQLite is installed")
    storage = Storage(f"sqlite:///{tmp_path / 'live.db'}")
    code = f"import sys; sys.modules['pysqlite3'] = None; from catalog.storage import Storage; Storage({storage.url!r}).close()"
    with storage.read() as db:
        db.execute(select(s.meta)).all()
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    storage.close()
    assert "DatabaseUnavailable" in done.stderr
    assert "stop the other programs that have it open" in done.stderr.splitlines()[-1]
    again = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (0, "")


# ------------------------------------------------------------------ connections
def _pragmas(db: Connection) -> dict[str, object]:
    names = ("busy_timeout", "foreign_keys", "trusted_schema", "synchronous", "query_only", "mmap_size", "journal_size_limit")
    return {name: db.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_every_pooled_sqlite_connection_has_its_pragmas(migrated_url: str) -> None:
    common = {
        "busy_timeout": 10_000, "foreign_keys": 1, "trusted_schema": 0, "synchronous": 2, "journal_size_limit": 64 * 1024 * 1024
    }  # fmt: skip
    storage = Storage(migrated_url, upgrade=False)
    for _ in range(2):  # the second time from the pool
        with storage.write() as db:
            assert _pragmas(db) == common | {"query_only": 0, "mmap_size": 0}
        with storage.read() as one, storage.read() as other:
            assert _pragmas(one) == _pragmas(other)
            found = _pragmas(one)
            assert found.pop("mmap_size") in (0, 268_435_456)  # 0 where the library was built without it
            assert found == common | {"query_only": 1}
    storage.close()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_sqlite_file_is_marked_as_ours(migrated_url: str) -> None:
    path = Path(migrated_url.removeprefix("sqlite:///"))
    assert path.read_bytes()[68:72] == b"SKFD"


def test_read_connections_cannot_write(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    with pytest.raises((DBAPIError, DatabaseUnavailable), match=r"(?i)read-?only"), storage.read() as db:
        db.execute(insert(s.meta), {"key": "a", "value": "b"})
    with storage.read() as db:
        assert db.execute(select(s.meta)).all() == []
    storage.close()


def test_a_reader_sees_one_state_while_others_write(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    if storage.dialect == "sqlite" and journal().mode != "wal":
        storage.close()
        pytest.skip("in the rollback journal a writer waits for the readers")
    with storage.read() as db:
        before = db.execute(select(s.meta)).all()
        with storage.write() as other:
            other.execute(insert(s.meta), {"key": "a", "value": "b"})
        assert db.execute(select(s.meta)).all() == before == []
    with storage.read() as db:
        assert len(db.execute(select(s.meta)).all()) == 1
    storage.close()


def test_a_write_that_fails_leaves_nothing(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)

    def act(db: Connection) -> float:
        db.execute(insert(s.meta), {"key": "a", "value": "b"})
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        storage.writing(act)
    with pytest.raises(ZeroDivisionError), storage.write() as db:
        act(db)
    with storage.read() as db:
        assert db.execute(select(s.meta)).all() == []
    storage.close()


@pytest.mark.postgres
def test_sessions_are_in_utc_whatever_the_zone_of_the_server(postgres_url: str) -> None:
    for read_only in (False, True):
        engine = open_engine(postgres_url, read_only=read_only)
        with engine.connect() as db:
            assert db.execute(text("SHOW timezone")).scalar_one() == "UTC"
        engine.dispose()


def test_a_race_is_run_again_and_a_mistake_is_not(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    calls = []

    def twice(db: Connection) -> None:
        calls.append(1)
        db.execute(insert(s.meta), [{"key": "a", "value": ""}])
        if len(calls) < 3:
            db.execute(insert(s.meta), [{"key": "a", "value": ""}])

    if storage.dialect == "sqlite":  # one writer at a time: a double key is never a race
        with pytest.raises(DBAPIError):
            storage.writing(twice)
        assert len(calls) == 1
    else:
        storage.writing(twice)
        assert len(calls) == 3
    with pytest.raises(DBAPIError):
        storage.writing(lambda db: db.execute(insert(s.meta), {"key": "b", "value": None}))
    storage.close()


# ------------------------------------------------------------------ instants
INSTANTS = (
    datetime(2026, 1, 28, 5, 0, tzinfo=UTC),
    datetime(2026, 1, 28, 5, 0, 0, 1, tzinfo=timezone(timedelta(hours=-5))),
    datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
)


def _stored(engine: Engine, value: datetime | None) -> datetime | None:
    with engine.begin() as db:
        db.execute(s.sources.delete())
        row = {
            "name": "a",
            "enabled": True,
            "next_due": INSTANTS[0],
            "last_run": value,
            "failures": 0,
            "outcome": "",
            "error": "",
        }
        db.execute(insert(s.sources), row)
    with engine.connect() as db:
        found: datetime | None = db.execute(select(s.sources.c.last_run)).scalar_one()
        return found


def test_instants_come_back_as_the_same_instants_in_utc(migrated_url: str) -> None:
    engine = open_engine(migrated_url)
    for instant in INSTANTS:
        found = _stored(engine, instant)
        assert found is not None
        assert (found.tzinfo, found) == (UTC, instant.astimezone(UTC))
    assert _stored(engine, None) is None
    engine.dispose()


def test_naive_instants_are_refused(migrated_url: str) -> None:
    engine = open_engine(migrated_url)
    with pytest.raises(StatementError, match="a naive datetime cannot be stored"):
        _stored(engine, INSTANTS[0].replace(tzinfo=None))
    engine.dispose()


def test_instants_are_compared_in_time_whatever_their_offset(migrated_url: str) -> None:
    engine = open_engine(migrated_url)
    at = INSTANTS[1]
    _stored(engine, at)
    with engine.connect() as db:
        for off, found in ((-1, 1), (0, 1), (1, 0)):
            since = (at + timedelta(microseconds=off)).astimezone(timezone(timedelta(hours=9)))
            assert len(db.execute(select(s.sources.c.name).where(s.sources.c.last_run >= since)).all()) == found
    engine.dispose()


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)))  # noqa: DTZ001 - bounds are naive
def test_the_text_of_instants_sorts_as_the_instants_do(at: datetime) -> None:
    from sqlalchemy.dialects import sqlite

    column, dialect = s.UtcDateTime(), sqlite.dialect()
    later = at.astimezone(UTC) + timedelta(microseconds=1)
    one, other = column.process_bind_param(at, dialect), column.process_bind_param(later, dialect)
    assert len(one) == 27
    assert one < other
    assert column.process_result_value(one, dialect) == at.astimezone(UTC)


# ------------------------------------------------------------------ databases that cannot be used
def _complaint(url: str, *, upgrade: bool) -> str:
    with pytest.raises(DatabaseUnavailable) as caught:
        _open_and_read(url, upgrade)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _open_and_read(url: str, upgrade: bool) -> None:
    storage = Storage(url, upgrade=upgrade)
    try:
        with storage.read() as db:
            db.execute(select(s.meta)).all()
    finally:
        storage.close()


@pytest.mark.parametrize("upgrade", [True, False])
def test_a_server_that_is_not_there_is_one_line_without_the_password(upgrade: bool) -> None:
    said = _complaint(f"postgresql+psycopg://reader:{SECRET}@127.0.0.1:1/feed?password={SECRET}", upgrade=upgrade)
    assert said.startswith("postgresql+psycopg://reader:***@127.0.0.1:1/feed: connection failed")
    assert SECRET not in said


@pytest.mark.parametrize("upgrade", [True, False])
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("missing/feed.db", r"the folder .*missing does not exist; make it or set SKILLFEED_DATA_DIR"),
        ("folder", r"unable to open database file"),
        ("folder/file/feed.db", r"the folder .*file does not exist"),
        ("letter.txt", r"file is not a database"),
        ("cut.db", r"malformed"),
    ],
)
def test_a_file_that_is_no_database_is_one_line(tmp_path: Path, name: str, says: str, upgrade: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("a file")
    (tmp_path / "letter.txt").write_text("Dear all, " * 1000)
    if name == "cut.db":
        migrate.upgrade(f"sqlite:///{tmp_path / 'whole.db'}")
        (tmp_path / name).write_bytes((tmp_path / "whole.db").read_bytes()[:5000])
    said = _complaint(f"sqlite:///{tmp_path / name}", upgrade=upgrade)
    assert said.startswith(f"sqlite:///{tmp_path}")
    assert re.search(says, said)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "feed.db",
        "sqlite://",
        "sqlite:///:memory:",
        f"mysql://reader:{SECRET}@localhost/feed",
        f"postgresql+psycopg2://reader:{SECRET}@localhost/feed",
        f"postgresql://reader:a@{SECRET}@localhost/feed",  # a sign that must be escaped
        f"postgresql://reader:x@localhost:{SECRET}/feed",
        f"nonsense?password={SECRET}",
    ],
)
def test_an_address_of_another_kind_is_refused_without_showing_a_password(url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"^SKILLFEED_DATABASE_URL: .*such as sqlite:") as caught:
        parse_url(url)
    assert SECRET not in str(caught.value)


@pytest.mark.postgres
def test_a_database_that_does_not_exist_is_named(postgres_url: str) -> None:
    said = _complaint(with_database(postgres_url, "no_such_feed"), upgrade=True)
    assert 'database "no_such_feed" does not exist' in said


def test_mistakes_in_statements_are_not_taken_for_an_outage(migrated_url: str) -> None:
    storage = Storage(migrated_url, upgrade=False)
    with pytest.raises(DBAPIError), storage.write() as db:
        db.execute(insert(s.meta), {"key": "a", "value": None})
    storage.close()


def test_a_long_complaint_is_cut() -> None:
    said = explain(OSError("no\n\n" + "x" * 1000), parse_url(f"postgresql://reader:{SECRET}@localhost/feed"))
    assert len(str(said)) < 400
    assert str(said).startswith("postgresql://reader:***@localhost/feed: no xxx")


def test_more_readers_than_connections_is_one_line(tmp_path: Path) -> None:
    storage = Storage(f"sqlite:///{tmp_path / 'busy.db'}")
    engine = storage._reader
    engine.pool._timeout = 0.01  # type: ignore[attr-defined]
    held = [engine.connect() for _ in range(25)]
    with pytest.raises(DatabaseUnavailable, match="all connections are in use"), storage.read():
        pass
    for connection in held:
        connection.close()
    storage.close()
