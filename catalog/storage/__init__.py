"""Storage: the only door to the database. Opens it, migrates it, hands out read and write transactions.

The modules beside this one hold the statements, one noun each: `entries` (what ingestion writes), `items` (what is asked),
`search`, `sources`, `leases`. They take an open transaction as their first argument and never commit: the edge that opened it
does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from catalog.errors import DatabaseUnavailable
from catalog.storage import migrate, versions
from catalog.storage.driver import remember_terms
from catalog.storage.engine import Journal, explain, journal, open_engine, shown
from catalog.storage.schema import UtcDateTime

T = TypeVar("T")
Mark = Callable[[str, Sequence[Any]], int]
_ATTEMPTS = 6
_RACES = ("23505", "40001", "40P01")  # a key inserted by another first, a serialisation failure, a deadlock


class Storage:
    """One open database; safe to share between threads."""

    def __init__(self, url: str, *, upgrade: bool = True) -> None:
        """Opens and, unless told otherwise, migrates the database; raises DatabaseUnavailable or NewerDatabase."""
        if upgrade:
            migrate.upgrade(url)
        self.url = url
        self._reader: Engine = open_engine(url, read_only=True)
        self._writer: Engine = open_engine(url, pool_size=2)
        versions.watch(self._writer)
        self.forget()
        self.dialect: str = self._writer.dialect.name

    def forget(self) -> None:
        """Read anew what is remembered of the database: after its rows were replaced as a whole."""
        remember_terms(self._reader)

    def close(self) -> None:
        """Give all connections back."""
        self._reader.dispose()
        self._writer.dispose()

    @property
    def journal(self) -> Journal | None:
        """Which SQLite and journal mode; None on PostgreSQL."""
        return journal() if self.dialect == "sqlite" else None

    def check(self) -> str | None:
        """None when the database can be used as it is, else one line with the mend.

        Raises DatabaseUnavailable, NewerDatabase.
        """
        try:
            return migrate.check(self._reader)
        except DBAPIError as error:
            raise explain(error, self._reader.url) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read transaction: one consistent view, takes no write lock, cannot write."""
        with self._guard(self._reader), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction: all or nothing. On SQLite it waits for the one writer before it begins."""
        with self._guard(self._writer), self._writer.begin() as connection:
            yield connection

    def writing(self, act: Callable[[Connection], T], *, private: bool = False) -> T:
        """Run `act` in a write transaction, again when PostgreSQL rolled it back for a race with another writer.

        `act` must be repeatable. Races are deadlocks, serialisation failures and a key that another writer inserted first.
        `private` overwrites what it frees, on SQLite: for rows that must leave no trace; `scrub` does the rest.
        """
        with self._guard(self._writer):
            for attempt in range(_ATTEMPTS):
                try:
                    with self._writer.connect() as connection, _overwriting(connection, private), connection.begin():
                        return act(connection)
                except (IntegrityError, OperationalError) as error:
                    if getattr(error.orig, "sqlstate", None) not in _RACES or attempt == _ATTEMPTS - 1:
                        raise
                    time.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    @contextmanager
    def marking(self) -> Iterator[Mark]:
        """A connection for single statements, each a transaction by itself: a statement and its values give the rows changed.

        Past SQLAlchemy, for what is written hundreds of times a second; on tables of `versions.UNSEEN` alone. `?` is a value.
        """
        engine = self._writer.execution_options(isolation_level="AUTOCOMMIT")
        with self._guard(self._writer), engine.connect() as connection:
            cursor, mark = connection.connection.cursor(), "?" if self.dialect == "sqlite" else "%s"
            form, dialect = UtcDateTime().process_bind_param, connection.dialect

            def run(statement: str, values: Sequence[Any]) -> int:
                given = [form(v, dialect) if isinstance(v, datetime) else v for v in values]
                with self._guard(self._writer):
                    cursor.execute(statement.replace("?", mark), given)
                return int(cursor.rowcount)

            yield run

    def scrub(self) -> None:
        """Wipe what removed addresses left behind: SQLite's log is emptied, PostgreSQL's table is written anew.

        PostgreSQL keeps its own log until it is recycled. Readers that hold an old view of SQLite keep its log; the next call
        empties it.
        """
        with self._guard(self._writer), self._writer.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            if self.dialect == "postgresql":
                connection.exec_driver_sql("VACUUM (FULL) addresses")
            else:
                _on_driver(connection, "PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _guard(self, engine: Engine) -> Iterator[None]:
        """An unreachable, locked, damaged or overrun database becomes DatabaseUnavailable; bugs pass through unhidden."""
        try:
            yield
        except DatabaseError as error:
            # A damaged file or one that is no database is a bare DatabaseError, whose other subclasses are bugs in statements.
            if isinstance(error, OperationalError) or type(error) is DatabaseError:
                raise explain(error, engine.url) from error
            raise
        except PoolTimeout as error:
            raise DatabaseUnavailable(f"{shown(engine.url)}: all connections are in use") from error
        except engine.dialect.loaded_dbapi.OperationalError as error:  # of a statement that went straight to the driver
            raise explain(error, engine.url) from error


@contextmanager
def _overwriting(connection: Connection, private: bool) -> Iterator[None]:
    """On SQLite: what is freed meanwhile is filled with zeros. Has to be said outside of a transaction."""
    if not private or connection.dialect.name != "sqlite":
        yield
        return
    _on_driver(connection, "PRAGMA secure_delete=ON")
    try:
        yield
    finally:
        _on_driver(connection, "PRAGMA secure_delete=OFF")


def _on_driver(connection: Connection, statement: str) -> None:
    """Run it past SQLAlchemy, which would begin a transaction first."""
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


__all__ = ["DatabaseUnavailable", "Storage"]
