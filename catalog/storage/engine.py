"""Opening the database: which SQLite library, which journal, how transactions begin.

SQLite and PostgreSQL differ here and in `search`.

Sources: sqlite.org/wal.html#walresetbug, SQLAlchemy's pysqlite page on transactions.
"""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError

from catalog.errors import DatabaseUnavailable

APPLICATION_ID = 0x534B4644  # "SKFD", in the file's header (PRAGMA application_id)
BUSY_MILLISECONDS = 10_000
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_FORMS = "sqlite:////folder/skillfeed.db or postgresql://user:password@host/name (in a password, @ is written %40 and % is %25)"


@dataclass(frozen=True, slots=True)
class Journal:
    """Which SQLite is used, in which journal mode and why."""

    library: str
    version: str
    mode: str
    reason: str


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """True when this SQLite is free of the WAL-reset bug: 3.51.3 and later, 3.50.7 and 3.44.6 of their branches."""
    branch = version[:2]
    if branch == (3, 44):
        return version >= (3, 44, 6)
    if branch == (3, 50):
        return version >= (3, 50, 7)
    return version >= (3, 51, 3)


def sqlite_library() -> ModuleType:
    """The newer of pysqlite3 (a wheel with its own SQLite, where one exists) and the standard library's."""
    try:
        newer: ModuleType = importlib.import_module("pysqlite3")
    except ImportError:
        return sqlite3
    return newer if newer.sqlite_version_info >= sqlite3.sqlite_version_info else sqlite3


def journal(library: ModuleType | None = None) -> Journal:
    """The journal mode for a library: WAL where it is safe, else the rollback journal."""
    lib = library or sqlite_library()
    version = lib.sqlite_version_info
    if wal_is_safe(version):
        return Journal(lib.__name__, lib.sqlite_version, "wal", "this SQLite is free of the WAL-reset bug")
    return Journal(
        lib.__name__,
        lib.sqlite_version,
        "delete",
        f"SQLite {lib.sqlite_version} has the WAL-reset bug (fixed in 3.51.3, 3.50.7, 3.44.6); "
        "the rollback journal is slower but safe",
    )


def parse_url(text: str) -> URL:
    """The address as SQLAlchemy's; raises DatabaseUnavailable, which shows nothing of what may be a password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise DatabaseUnavailable(f"SKILLFEED_DATABASE_URL: not an address such as {_FORMS}") from None
    if "@" in (url.host or ""):  # the end of a password
        raise DatabaseUnavailable(f"SKILLFEED_DATABASE_URL: not an address such as {_FORMS}")
    if url.drivername not in _DRIVERS or (url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")):
        raise DatabaseUnavailable(f"SKILLFEED_DATABASE_URL: {shown(url)} is not an address such as {_FORMS}")
    return url


def shown(url: URL) -> str:
    """The address as it may be shown: without password and parameters, which can hold one too."""
    return url.set(query={}).render_as_string(hide_password=True)


def open_engine(text: str, *, read_only: bool = False, pool_size: int = 5) -> Engine:
    """An engine whose write transactions begin IMMEDIATE on SQLite and whose read-only form cannot write on either database."""
    url = parse_url(text)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, read_only, pool_size)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC -c jit=off", "connect_timeout": 10, "application_name": "skillfeed"},
    )
    if not read_only:
        return engine
    # At PostgreSQL's default level every statement sees the newest rows: the parts of one answer would not fit together.
    return engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")


def _open_sqlite(url: URL, read_only: bool, pool_size: int) -> Engine:
    library = sqlite_library()
    engine = create_engine(
        url,
        module=library,
        pool_size=pool_size,
        max_overflow=20,
        connect_args={"check_same_thread": False, "timeout": BUSY_MILLISECONDS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: DBAPIConnection, _record: Any) -> None:
        # The library's own BEGIN is deferred: 130 of 200 read-modify-writes of four threads then died of "database is locked".
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas(read_only):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def pragmas(read_only: bool) -> tuple[str, ...]:
    """What every SQLite connection is set to; synchronous FULL, because NORMAL can forget the last commits at power loss."""
    common = (
        f"busy_timeout={BUSY_MILLISECONDS}",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "synchronous=FULL",
        "cache_size=-32000",
        "journal_size_limit=67108864",
    )
    return (*common, "query_only=ON", "mmap_size=268435456") if read_only else (*common, "mmap_size=0")


def set_journal(engine: Engine, wanted: Journal | None = None) -> Journal:
    """Put the file into its journal mode; raises DatabaseUnavailable when another program has it open in another one."""
    wanted = wanted or journal()
    driver = engine.dialect.loaded_dbapi.Error  # a raw connection, as the mode cannot change in a transaction: raw errors too
    try:
        raw = engine.raw_connection()
    except driver as error:
        raise explain(error, engine.url) from error
    try:
        cursor = raw.cursor()
        mode = str(cursor.execute("PRAGMA journal_mode").fetchone()[0])
        if mode != wanted.mode:
            try:
                mode = str(cursor.execute(f"PRAGMA journal_mode={wanted.mode}").fetchone()[0])
            except driver:  # locked
                mode = str(cursor.execute("PRAGMA journal_mode").fetchone()[0])
            if mode != wanted.mode:
                raise DatabaseUnavailable(
                    f"{engine.url.database}: journal mode is {mode}, {wanted.mode} is needed ({wanted.reason}); "
                    "stop the other programs that have it open"
                )
    except driver as error:
        raise explain(error, engine.url) from error
    finally:
        raw.close()
    return wanted


def explain(error: Exception, url: URL) -> DatabaseUnavailable:
    """A failure to open or reach the database in one line, without the password; takes a driver's error, wrapped or bare."""
    cause = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).parent
        try:
            known = folder.is_dir()
        except OSError as denied:  # a folder above it may not be looked into
            return DatabaseUnavailable(f"{shown(url)}: cannot use the folder {folder}: {denied.strerror}")
        if not known:
            return DatabaseUnavailable(f"{shown(url)}: the folder {folder} does not exist; make it or set SKILLFEED_DATA_DIR")
    return DatabaseUnavailable(f"{shown(url)}: {cause[:300]}")


def insert(db: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, which SQLAlchemy has for each database by itself."""
    return (sqlite if db.dialect.name == "sqlite" else postgresql).insert(table)


def add_missing(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those rows whose `name` is not there yet; another process may do the same at the same time."""
    known = set(db.execute(select(table.c.name)).scalars())
    missing = [dict(r) for r in rows if r["name"] not in known]
    if missing:
        db.execute(insert(db, table).on_conflict_do_nothing(index_elements=["name"]), missing)
