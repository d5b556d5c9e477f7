"""Statements of the hot paths: text and values straight to the driver, tuples back.

A topic's page takes SQLite 0.06 ms; SQLAlchemy's own way there takes four times as long again. Statements are written once,
with `?` where a value goes, and hold neither `?` nor `%` otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

Term = tuple[str, str]  # scheme and value

#: Ids of terms by engine. A term is never taken away and never numbered anew, so what a read transaction saw once holds.
_KNOWN: MutableMapping[Engine, dict[Term, int]] = WeakKeyDictionary()


class Driver:
    """The driver's own connection, within a transaction that somebody else opened and ends."""

    __slots__ = ("_connection", "_terms", "sqlite")

    def __init__(self, connection: Any, terms: dict[Term, int], *, sqlite: bool) -> None:
        self._connection, self._terms, self.sqlite = connection, terms, sqlite

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement. Dates and instants are text on SQLite, as they are stored."""
        text = statement if self.sqlite else _numbered(statement)
        return list(self._connection.execute(text, values).fetchall())

    def terms(self, scheme: str, values: Iterable[str]) -> list[int]:
        """Ids of those of the terms that there are, ascending."""
        found: list[int] = []
        unknown: list[str] = []
        for value in values:
            number = self._terms.get((scheme, value))
            if number is None:
                unknown.append(value)
            else:
                found.append(number)
        if unknown:
            statement = f"SELECT value, id FROM terms WHERE scheme = ? AND value IN ({marks(len(unknown))})"
            for value, number in self.rows(statement, [scheme, *unknown]):
                self._terms[scheme, value] = number
                found.append(number)
        return sorted(found)

    def every_term(self, scheme: str) -> list[int]:
        """Ids of all terms of a scheme, ascending."""
        return sorted(number for (number,) in self.rows("SELECT id FROM terms WHERE scheme = ?", (scheme,)))

    def names(self, numbers: Iterable[int]) -> dict[int, Term]:
        """Scheme and value of terms by id."""
        wanted = sorted(set(numbers))
        out: dict[int, Term] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            for number, scheme, value in self.rows(
                f"SELECT id, scheme, value FROM terms WHERE id IN ({marks(len(part))})", part
            ):
                out[number] = scheme, value
        return out


def remember_terms(engine: Engine) -> None:
    """Keep the ids of terms that are read through this engine, whose transactions cannot write."""
    _KNOWN[engine] = {}


def driver(db: Connection) -> Driver:
    """The driver below an open transaction of SQLAlchemy."""
    return Driver(db.connection.driver_connection, _KNOWN.get(db.engine, {}), sqlite=db.dialect.name == "sqlite")


def marks(count: int) -> str:
    """So many question marks with commas between them."""
    return ", ".join("?" * count)


@lru_cache(maxsize=2_000)
def _numbered(statement: str) -> str:
    """The statement as psycopg wants it."""
    return statement.replace("?", "%s")
